// A link: its clicks by hour, where they come from, and its picture.
import { drawn, keep, kept, parameter, say, setParameter, view } from "/ui/assets/millrace.js";

const $ = (id) => document.getElementById(id);
const hour = 3600_000;
const count = 48;
let code = "";

async function hours() {
  const last = Math.floor(Date.now() / hour) * hour;
  const first = last - (count - 1) * hour;
  const { rows } = await view("links.clicks", { code, by: "hour", from: new Date(first).toISOString() });
  const clicks = new Array(count).fill(0);
  for (const row of rows) {
    const index = Math.round((Date.parse(row.at) - first) / hour);
    if (index >= 0 && index < count) clicks[index] += row.clicks;
  }
  const most = Math.max(1, ...clicks);
  const bars = clicks.map((value, index) =>
    drawn("rect", { x: index * 20 + 2, width: 16, y: 100 - (value / most) * 95, height: (value / most) * 95 },
      drawn("title", {}, `${new Date(first + index * hour).toLocaleString()}: ${value.toLocaleString()}`)));
  $("hours").replaceChildren(drawn("svg", { viewBox: `0 0 ${count * 20} 100`, preserveAspectRatio: "none", role: "img",
    "aria-label": `Clicks by hour, at most ${most}` }, ...bars));
  const from = new Date(first).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  $("span").textContent = `From ${from} to now; at most ${Math.max(...clicks).toLocaleString()} in an hour.`;
}

async function source(kind) {
  const { rows } = await view("links.sources", { code, kind, limit: 8 });
  const most = Math.max(1, ...rows.map((row) => row.clicks));
  // A picture is read aloud by its name alone.
  $(kind).replaceChildren(...rows.map((row) => {
    const text = `${row.value || "not known"} · ${row.clicks.toLocaleString()}`;
    return drawn("svg", { role: "img", "aria-label": text },
      drawn("rect", { class: "bar", width: `${(row.clicks / most) * 100}%`, height: "100%" }),
      drawn("text", { x: 6, y: "1.05rem" }, text));
  }));
}

async function show() {
  const { rows: [link] } = await view("links.resolve", { code });
  $("link").hidden = !link;
  if (!link) return say($("told"), `There is no link ${code}.`, true);
  const { rows: [total] } = await view("links.total", { code });
  $("title").textContent = link.title || `/l/${code}`;
  $("url").textContent = link.url;
  $("total").textContent = `${total.clicks.toLocaleString()} clicks`;
  $("bots").textContent = `and ${total.bots.toLocaleString()} of programs; ${link.stage}`;
  $("qr").setAttribute("src", `/l/${encodeURIComponent(code)}/qr.svg`);
  await Promise.all([hours(), source("referrer"), source("country"), source("device")]);
  say($("told"), "");
}

async function look() {
  if (!document.hidden && code) await show().catch((problem) => problem.status && say($("told"), problem.message, true));
  setTimeout(look, 2000);
}

$("choose").addEventListener("submit", (submit) => {
  submit.preventDefault();
  code = $("code").value.trim();
  keep("code", code);
  setParameter("code", code);
  show().catch((problem) => say($("told"), problem.message, true));
});
code = parameter("code") || kept("code") || "";
$("code").value = code;
look();
