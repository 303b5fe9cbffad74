// Lets a reader move impact, deadweight and unit cost, and see the break-even (and, where the evidence allows, the ratio)
// change. The same formula as the account: a line is worth impact x (1 - deadweight) x unit cost x worth, a present value.
// It reads the JSON of #what-if-data, fills #what-if and shows the section around it; without it the page loses nothing.
(function () {
  "use strict";
  var holder = document.getElementById("what-if");
  var source = document.getElementById("what-if-data");
  if (!holder || !source) { return; }
  var data = JSON.parse(source.textContent);
  var section = holder.closest("section");
  if (section) { section.hidden = false; }

  function benefits(lines, move) {
    return lines.reduce(function (total, line) {
      var deadweight = move.deadweight === null || line.net ? line.deadweight : move.deadweight;
      return total + line.impact * move.impact * (1 - deadweight) * line.unitCost * move.unitCost * line.worth;
    }, 0);
  }

  function ratio(lines, costs, move) { return benefits(lines, move) / costs; }

  function breakEven(lines, costs, move) {
    var total = benefits(lines, { impact: 1, deadweight: move.deadweight, unitCost: move.unitCost });
    return total > 0 ? costs / total : null;
  }

  function figures(value) {
    var rounded = Number(value.toPrecision(2));
    return rounded.toLocaleString("en-GB", { maximumFractionDigits: 2 });
  }

  // One control: a slider and a number box that follow each other, both reachable by keyboard.
  function control(name, label, low, high, step, start) {
    var group = document.createElement("div");
    group.className = "what-if-control";
    var text = document.createElement("label");
    text.htmlFor = "what-if-" + name;
    text.textContent = label;
    var slider = input("range", "what-if-" + name, low, high, step, start);
    var box = input("number", "what-if-" + name + "-number", low, high, step, start);
    box.setAttribute("aria-label", label + ", as a number");
    group.append(text, slider, box);
    slider.addEventListener("input", function () { box.value = slider.value; show(); });
    box.addEventListener("input", function () {
      var given = Number(box.value);
      if (box.value !== "" && given >= low && given <= high) { slider.value = box.value; show(); }
    });
    holder.append(group);
    return slider;
  }

  function input(kind, id, low, high, step, start) {
    var made = document.createElement("input");
    made.type = kind;
    made.id = id;
    made.min = String(low);
    made.max = String(high);
    made.step = String(step);
    made.value = String(start);
    return made;
  }

  var gross = data.lines.filter(function (line) { return !line.net; });
  var impact = control("impact", "Impact, per cent of that assumed", 0, 300, 1, 100);
  var deadweight = gross.length
    ? control("deadweight", "Would have happened anyway, per cent", 0, 100, 1, Math.round(100 * gross[0].deadweight))
    : null;
  var unitCost = control("unit-cost", "Unit costs, per cent of those assumed", 0, 300, 1, 100);
  var moved = false;
  var answer = document.createElement("p");
  answer.id = "what-if-answer";
  answer.setAttribute("role", "status");
  holder.append(answer);
  var again = document.createElement("button");
  again.type = "button";
  again.textContent = "Back to the assumptions of the report";
  again.addEventListener("click", function () {
    [[impact, 100], [unitCost, 100], [deadweight, gross.length ? Math.round(100 * gross[0].deadweight) : 0]].forEach(
      function (pair) {
        if (pair[0]) {
          pair[0].value = String(pair[1]);
          document.getElementById(pair[0].id + "-number").value = String(pair[1]);
        }
      }
    );
    moved = false;
    show();
  });
  holder.append(again);
  if (deadweight) {
    holder.addEventListener("input", function (event) {
      if (event.target.id.indexOf("what-if-deadweight") === 0) { moved = true; show(); }
    });
  }

  function show() {
    var move = {
      impact: Number(impact.value) / 100,
      deadweight: deadweight && moved ? Number(deadweight.value) / 100 : null,
      unitCost: Number(unitCost.value) / 100
    };
    var needed = breakEven(data.lines, data.costs, move);
    var words = needed === null
      ? "With these values no impact would make benefits equal costs."
      : "Benefits would equal costs at " + figures(100 * needed) + "% of the impact assumed.";
    if (data.showRatio) {
      words += " Each £1 of cost would go with £" + figures(ratio(data.lines, data.costs, move)) + " of benefit.";
    }
    answer.textContent = words;
    holder.dataset.ratio = data.showRatio ? String(ratio(data.lines, data.costs, move)) : "";
    holder.dataset.breakEven = needed === null ? "" : String(needed);
  }

  show();
})();
