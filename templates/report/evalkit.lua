-- The part of Quarto's Markdown that evalkit's reports use, for Pandoc alone: values, conditional content, callouts,
-- numbered figures, tables and sections with references to them, page breaks and alternative text in every format.
-- What it does not know it refuses; evalkit has already refused it with file and line.

local kind = FORMAT:match('typst') or FORMAT:match('docx') or 'html'
local names = { fig = 'Figure', tbl = 'Table', sec = 'Section' }
local numbers, meta, number_sections = {}, {}, false

local function raw(text)
  return pandoc.RawBlock(kind == 'docx' and 'openxml' or kind, text)
end

local function typst(inlines)
  return (pandoc.write(pandoc.Pandoc({ pandoc.Plain(inlines) }), 'typst'):gsub('%s+$', ''))
end

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"'):gsub('\n', ' ') .. '"'
end

-- Attributes in the order given: a Lua table with names would put them in another order on every run.
local function attr(classes, pairs)
  return pandoc.Attr('', classes, pairs)
end

local function lookup(key)
  local value = meta
  for part in key:gmatch('[^.]+') do
    value = type(value) == 'table' and value[part] or nil
  end
  return value
end

local function value(span)
  if not span.classes:includes('ek-meta') then return nil end
  local found = lookup(span.attributes.key)
  if found == nil then error('no value for ' .. span.attributes.key) end
  if pandoc.utils.type(found) == 'Inlines' then return found end
  if pandoc.utils.type(found) == 'Blocks' then return pandoc.utils.blocks_to_inlines(found) end
  return pandoc.Inlines(pandoc.Str(tostring(found)))
end

local function is_format(wanted)
  return wanted == kind or (wanted == 'pdf' and kind == 'typst')
end

local function shown(attributes)
  if attributes['when-format'] and not is_format(attributes['when-format']) then return false end
  if attributes['unless-format'] and is_format(attributes['unless-format']) then return false end
  local when, unless = attributes['when-meta'], attributes['unless-meta']
  if when and not lookup(when) then return false end
  if unless and lookup(unless) then return false end
  return true
end

local function conditional(element)
  local visible = element.classes:includes('content-visible')
  if not visible and not element.classes:includes('content-hidden') then return nil end
  if shown(element.attributes) == visible then return element.content end
  return {}
end

local function callout_title(div, class)
  local first = div.content[1]
  if first and first.t == 'Header' then
    div.content:remove(1)
    return first.content
  end
  local given = div.attributes.title or class:gsub('^callout%-', ''):gsub('^%l', string.upper)
  return pandoc.Inlines(pandoc.Str(given))
end

local function callout(div)
  local class = div.classes:find_if(function(name) return name:match('^callout%-') end)
  if not class then return nil end
  local title = callout_title(div, class)
  if kind == 'typst' then
    local blocks = pandoc.Blocks({ raw('#callout("' .. class .. '", [' .. typst(title) .. '])[') })
    blocks:extend(div.content)
    blocks:insert(raw(']'))
    return blocks
  end
  local head = pandoc.Div({ pandoc.Para(title) }, attr({ 'callout-title' }, { { 'custom-style', 'Callout Title' } }))
  local body = pandoc.Div(div.content, attr({ 'callout-body' }, { { 'custom-style', 'Callout' } }))
  return pandoc.Div({ head, body }, attr({ 'callout', class }, { { 'role', 'note' } }))
end

-- A definition list as pairs of term and text, so that each list can have a layout of its own.
local function listed(div, name)
  return div:walk({ DefinitionList = function(list)
    local blocks = pandoc.Blocks({})
    for _, item in ipairs(list.content) do
      blocks:insert(raw('#' .. name .. '-item([' .. typst(item[1]) .. '])['))
      for _, definition in ipairs(item[2]) do blocks:extend(definition) end
      blocks:insert(raw(']'))
    end
    blocks:insert(raw('#v(8pt)'))
    return blocks
  end }).content
end

-- The web page's own head already says what the banner says.
local function said_above(div)
  local banner = lookup('evalkit.banner')
  return banner and pandoc.utils.stringify(div) == pandoc.utils.stringify(banner)
end

local function own_div(div)
  local name = div.classes[1]
  if name == 'ek-pagebreak' then
    if kind == 'typst' then return raw('#pagebreak(weak: true)') end
    if kind == 'docx' then return raw('<w:p><w:r><w:br w:type="page"/></w:r></w:p>') end
    return pandoc.Div({}, { class = 'page-break' })
  end
  if kind == 'html' and name == 'banner' and said_above(div) then return {} end
  if kind == 'typst' and (name == 'answers' or name == 'fields') then return listed(div, name) end
  local boxed = { banner = true, lead = true, evidence = true, ['can-say'] = true, ['cannot-say'] = true,
    ['meta-line'] = true }
  if kind == 'typst' and boxed[name] then
    local blocks = pandoc.Blocks({ raw('#' .. name .. '[') })
    blocks:extend(div.content)
    blocks:insert(raw(']'))
    return blocks
  end
  -- In Word the first line of a box stays with the next: "You cannot say" never ends a page.
  if kind == 'docx' and (name == 'can-say' or name == 'cannot-say') and #div.content > 1 then
    local style = div.attributes['custom-style'] .. ' Title'
    div.content[1] = pandoc.Div({ div.content[1] }, attr({}, { { 'custom-style', style } }))
    return div
  end
  return callout(div)
end

local function label(prefix, identifier, count)
  numbers[identifier] = count
  return pandoc.Inlines({ pandoc.Str(names[prefix] .. '\u{a0}' .. count .. ':'), pandoc.Space() })
end

local function captioned(inlines, extra)
  local all = pandoc.Inlines(extra)
  all:extend(inlines)
  return all
end

local counts = { fig = 0, tbl = 0 }

local function figure_image(figure)
  local found
  figure:walk({ Image = function(image) found = found or image end })
  return found
end

local function figure(element)
  local image = figure_image(element)
  if not image then error('a figure without an image') end
  local alt = image.attributes['fig-alt'] or image.attributes.alt or ''
  if alt == '' then error('the figure ' .. image.src .. ' has no fig-alt') end
  image.attributes['fig-alt'] = nil
  image.attributes.alt = alt
  local caption = pandoc.utils.blocks_to_inlines(element.caption.long)
  if element.identifier:match('^fig%-') then
    counts.fig = counts.fig + 1
    caption = captioned(caption, label('fig', element.identifier, counts.fig))
  end
  if kind == 'typst' then
    local text = '#figure(image(' .. quoted(image.src) .. ', alt: ' .. quoted(alt) .. ', width: 100%), caption: ['
      .. typst(caption) .. '])'
    return raw(text .. (element.identifier ~= '' and ' <' .. element.identifier .. '>' or ''))
  end
  if kind == 'html' then element.attributes.tabindex = '0' end
  image.caption = pandoc.Inlines(pandoc.Str(alt))
  element.caption.long = { pandoc.Plain(caption) }
  element.content = { pandoc.Plain({ image }) }
  return element
end

local function bare_image(image)
  local alt = image.attributes['fig-alt'] or image.attributes.alt or pandoc.utils.stringify(image.caption)
  if alt == '' then error('the image ' .. image.src .. ' has no alternative text') end
  image.attributes['fig-alt'] = nil
  image.attributes.alt = alt
  if kind == 'typst' then
    return pandoc.RawInline('typst', '#box(image(' .. quoted(image.src) .. ', alt: ' .. quoted(alt) .. '))')
  end
  return image
end

local function data_table(element)
  for _, body in ipairs(element.bodies) do body.row_head_columns = 1 end
  local caption = pandoc.utils.blocks_to_inlines(element.caption.long)
  if element.identifier:match('^tbl%-') then
    counts.tbl = counts.tbl + 1
    caption = captioned(caption, label('tbl', element.identifier, counts.tbl))
    element.caption.long = { pandoc.Plain(caption) }
  end
  if kind ~= 'html' then return element end
  local words = pandoc.utils.stringify(caption)
  local classes = #element.colspecs <= 3 and { 'table-scroll', 'few' } or { 'table-scroll' }
  return pandoc.Div({ element }, attr(classes, { { 'tabindex', '0' }, { 'role', 'region' },
    { 'aria-label', words ~= '' and words or 'Table' } }))
end

local section = {}

local function header(element)
  if not number_sections or element.classes:includes('unnumbered') then return nil end
  local level = element.level
  section[level] = (section[level] or 0) + 1
  for deeper = level + 1, 6 do section[deeper] = 0 end
  local parts = {}
  for depth = 1, level do
    if section[depth] and section[depth] > 0 then table.insert(parts, tostring(section[depth])) end
  end
  local text = table.concat(parts, '.')
  if element.identifier:match('^sec%-') then numbers[element.identifier] = text end
  element.content:insert(1, pandoc.Space())
  element.content:insert(1, pandoc.Str(text))
  return element
end

local function reference(cite)
  local found = pandoc.Inlines({})
  for i, each in ipairs(cite.citations) do
    local number = numbers[each.id]
    local name = names[each.id:match('^(%l+)%-') or '']
    if not name or not number then error('nothing is labelled @' .. each.id) end
    if i > 1 then found:extend({ pandoc.Str(','), pandoc.Space() }) end
    local text = each.mode == 'SuppressAuthor' and tostring(number) or name .. '\u{a0}' .. number
    found:insert(pandoc.Link({ pandoc.Str(text) }, '#' .. each.id))
  end
  return found
end

function Pandoc(doc)
  meta = doc.meta
  number_sections = meta['number-sections'] == true
  doc = doc:walk({ Div = conditional, Span = conditional })
  doc = doc:walk({ Span = value })
  doc = doc:walk({ Div = own_div })
  doc = doc:walk({ Header = header })
  doc = doc:walk({ Figure = figure, Table = data_table })
  doc = doc:walk({ Image = bare_image })
  doc = doc:walk({ Cite = reference })
  if kind ~= 'html' then
    doc = doc:walk({ Math = function() error('mathematics between dollars: write it in Unicode') end })
  end
  return doc
end
