// Opens one report in headless Chromium and prints what a test needs to know about it as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const require = createRequire(import.meta.url);
const [, , chromium, shots, ...pages] = process.argv;
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
const found = {};
const LANES = 2; // pages open at a time
const visit = async (page) => {
  const tab = await browser.newPage();
  const requests = [];
  tab.on("request", (each) => requests.push(each.url()));
  await tab.setBypassCSP(true); // axe is injected; the page's own policy is read from its source
  await tab.setViewport({ width: 360, height: 740 });
  await tab.goto(`file://${page}`);
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
  if (shots !== "-") await tab.screenshot({ path: `${shots}/${page.split("/").slice(-3).join("-")}-360.png`, fullPage: true });
  await tab.evaluate(axe);
  const narrow = await tab.evaluate(() => axe.run(document));
  await tab.setViewport({ width: 1280, height: 900 });
  if (shots !== "-") await tab.screenshot({ path: `${shots}/${page.split("/").slice(-3).join("-")}-1280.png`, fullPage: true });
  const broad = await tab.evaluate(() => axe.run(document));
  const brief = (results) => results.violations.map((v) => `${v.id}: ${v.nodes.length}: ${v.nodes[0].html.slice(0, 200)}`);
  found[page] = {
    width_at_360: wide,
    violations: [...brief(narrow), ...brief(broad)],
    requests: requests.filter((url) => !url.startsWith("data:") && url !== `file://${page}`),
    main: await tab.evaluate(() => document.querySelectorAll("main").length),
    text: await tab.evaluate(() => document.body.innerText),
    scripts: await tab.evaluate(() => document.querySelectorAll("script:not([src])").length),
  };
  await tab.close();
};
const lane = async (start) => {
  for (let at = start; at < pages.length; at += LANES) await visit(pages[at]);
};
await Promise.all([...Array(LANES).keys()].map(lane));
await browser.close();
console.log(JSON.stringify(found));
