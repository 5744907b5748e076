// Hits a second in the last five minutes as a curve, each second anew.
import { drawn, keep, kept, parameter, say, setParameter, view } from "/ui/assets/millrace.js";

const $ = (id) => document.getElementById(id);
const seconds = 300;
const [width, height, left, bottom, top] = [1000, 360, 70, 30, 15];
let site = "";

const x = (index) => left + (index / (seconds - 1)) * (width - left - 10);
const y = (hits, most) => height - bottom - (hits / most) * (height - bottom - top);

/** A round number that is not below another: 1, 2 or 5 and zeros. */
function rounded(value) {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((one) => one * size).find((one) => one >= value) ?? value;
}

function axes(most) {
  const lines = [0, 0.5, 1].flatMap((part) => {
    const at = y(most * part, most);
    return [drawn("line", { class: "axis", x1: left, x2: width - 10, y1: at, y2: at }),
      drawn("text", { x: left - 8, y: at + 5, "text-anchor": "end" }, (most * part).toLocaleString())];
  });
  const marks = [5, 4, 3, 2, 1].map((ago) =>
    drawn("text", { x: x(Math.max(0, seconds - 1 - ago * 60)), y: height - 8, "text-anchor": "start" }, `-${ago} min`));
  $("axes").replaceChildren(...lines, ...marks);
}

async function show() {
  const now = Math.floor(Date.now() / 1000);
  const { rows } = await view("hits.seconds", { site, window: "5m", at: new Date(now * 1000).toISOString(), limit: 1000 });
  const counts = new Array(seconds).fill(0);
  for (const row of rows) {
    const index = Math.floor(Date.parse(row.at) / 1000) - (now - seconds + 1);
    if (index >= 0 && index < seconds) counts[index] += row.hits + row.late;
  }
  const most = rounded(Math.max(1, ...counts));
  axes(most);
  const points = counts.map((count, index) => `${x(index).toFixed(1)},${y(count, most).toFixed(1)}`).join("L");
  $("line").setAttribute("d", `M${points}`);
  $("area").setAttribute("d", `M${x(0)},${y(0, most)}L${points}L${x(seconds - 1)},${y(0, most)}Z`);
  const sum = (some) => some.reduce((a, b) => a + b, 0);
  $("sum").textContent = sum(counts).toLocaleString();
  $("minute").textContent = sum(counts.slice(-60)).toLocaleString();
  $("average").textContent = (sum(counts) / seconds).toLocaleString([], { maximumFractionDigits: 1 });
  $("most").textContent = Math.max(...counts).toLocaleString();
  if ($("told").classList.contains("error")) say($("told"), "");
}

async function look() {
  if (!document.hidden) await show().catch((problem) => problem.status && say($("told"), problem.message, true));
  setTimeout(look, 1000);
}

$("choose").addEventListener("submit", (submit) => {
  submit.preventDefault();
  site = $("site").value.trim();
  keep("site", site);
  setParameter("site", site);
  show().catch((problem) => say($("told"), problem.message, true));
});
site = parameter("site") || kept("site");
$("site").value = site;
look();
