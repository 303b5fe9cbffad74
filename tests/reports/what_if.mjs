// Opens a page with the what-if script, moves its controls by keyboard alone, and prints what the page then says.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [, , chromium, page] = process.argv;
const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
const tab = await browser.newPage();
const errors = [];
tab.on("pageerror", (error) => errors.push(String(error)));
await tab.goto(`file://${page}`);
const read = () =>
  tab.evaluate(() => ({
    ratio: document.getElementById("what-if").dataset.ratio,
    breakEven: document.getElementById("what-if").dataset.breakEven,
    says: document.getElementById("what-if-answer").textContent,
  }));
const found = { start: await read() };
const press = async (id, key, times) => {
  await tab.focus(`#${id}`);
  for (let n = 0; n < times; n += 1) await tab.keyboard.press(key);
};
await press("what-if-impact", "ArrowLeft", 20);
found.impact80 = await read();
await press("what-if-unit-cost", "ArrowRight", 10);
found.cost110 = await read();
if (await tab.$("#what-if-deadweight")) {
  await press("what-if-deadweight", "Home", 1);
  await press("what-if-deadweight", "ArrowRight", 40);
  found.deadweight40 = await read();
}
await tab.focus("button");
await tab.keyboard.press("Enter");
found.again = await read();
await tab.evaluate(axe);
found.violations = (await tab.evaluate(() => axe.run(document))).violations.map((each) => each.id);
found.errors = errors;
await browser.close();
console.log(JSON.stringify(found));
