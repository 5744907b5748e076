// Hit ratios by size that each policy would have had, by the accesses told last; every few seconds anew.
import { drawn, element, keep, kept, parameter, say, setParameter, view, wholeView } from "/ui/assets/millrace.js";

const $ = (id) => document.getElementById(id);
const [width, height, left, bottom, top, right] = [1000, 420, 100, 40, 25, 20];
let node = "";
// What the curves were drawn of.
let replayed = "";

const y = (ratio) => height - bottom - ratio * (height - bottom - top);

function axes(x, sizes) {
  const lines = [0, 0.25, 0.5, 0.75, 1].flatMap((ratio) => [
    drawn("line", { class: "axis", x1: left, x2: width - right, y1: y(ratio), y2: y(ratio) }),
    drawn("text", { x: left - 8, y: y(ratio) + 5, "text-anchor": "end" }, `${ratio * 100}%`)]);
  const shown = sizes.filter((_, index) => index % Math.ceil(sizes.length / 6) === 0);
  const marks = shown.map((size) =>
    drawn("text", { x: x(size), y: height - 12, "text-anchor": "middle" }, size.toLocaleString()));
  $("axes").replaceChildren(...lines, ...marks);
}

function draw(rows) {
  const policies = [...new Set(rows.map((row) => row.policy))];
  const sizes = [...new Set(rows.map((row) => row.capacity))].sort((a, b) => a - b);
  const most = Math.max(2, ...sizes);
  // Sizes grow by factors, so they are drawn by their logarithm.
  const x = (size) => left + (Math.log(Math.max(1, size)) / Math.log(most)) * (width - left - right);
  axes(x, sizes);
  $("lines").replaceChildren(...policies.map((policy, index) => {
    const points = rows.filter((row) => row.policy === policy)
      .map((row) => `${x(row.capacity).toFixed(1)},${y(row.ratio).toFixed(1)}`);
    return drawn("path", { class: `line p${index % 10}`, d: `M${points.join("L")}` }, drawn("title", {}, policy));
  }));
  $("key").replaceChildren(...policies.map((policy, index) => element("li", {},
    drawn("svg", { viewBox: "0 0 32 12", "aria-hidden": "true" },
      drawn("line", { class: `p${index % 10}`, x1: 0, x2: 32, y1: 6, y2: 6 })),
    policy)));
  $("about").textContent = rows.length
    ? `What caches of each policy and size would have hit of the last ${rows[0].requests.toLocaleString()} accesses told.`
    : "No access was told yet.";
}

async function show() {
  const choice = node ? { node } : {};
  const { rows } = await view("cache.nodes", { ...choice, limit: 100 });
  // The server replays the accesses for the curves, so it is asked for them only where there are new ones.
  const state = JSON.stringify([node, rows.map((row) => row.requests)]);
  if (state !== replayed) {
    const curves = await wholeView("cache.curves", choice);
    draw(curves.rows ?? curves);
    replayed = state;
  }
  $("nodes").replaceChildren(...rows.map((row) => element("tr", {},
    element("td", {}, row.node), element("td", {}, row.policy), element("td", {}, row.requests.toLocaleString()),
    element("td", {}, `${(row.ratio * 100).toFixed(1)}%`), element("td", {}, row.evictions.toLocaleString()))));
  if ($("told").classList.contains("error")) say($("told"), "");
}

async function look() {
  if (!document.hidden) await show().catch((problem) => problem.status && say($("told"), problem.message, true));
  setTimeout(look, 10_000);
}

$("choose").addEventListener("submit", (submit) => {
  submit.preventDefault();
  node = $("node").value.trim();
  keep("node", node);
  setParameter("node", node);
  show().catch((problem) => say($("told"), problem.message, true));
});
node = parameter("node") || kept("node");
$("node").value = node;
look();
