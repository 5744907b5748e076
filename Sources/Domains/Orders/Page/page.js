// One order's way to the door, as it goes, and what may be done next.
import {
  element, follow, keep, kept, lastPlace, parameter, say, send, setParameter, throttled, view, whenBack,
} from "/ui/assets/millrace.js";

const $ = (id) => document.getElementById(id);
const told = $("told");
const names = { received: "Received", assigned: "With a courier", picked_up: "Picked up", delivered: "At the door" };
let order = "";
let following;

const moment = (time) => new Date(time).toLocaleString([], { dateStyle: "short", timeStyle: "short" });

function stages(rows) {
  const reached = new Map(rows.filter((row) => row.stage in names).map((row) => [row.stage, row]));
  const cancelled = rows.find((row) => row.stage === "cancelled");
  const items = Object.entries(names).map(([stage, name]) => {
    const row = reached.get(stage);
    return element("li", { class: row ? "done" : cancelled ? "off" : "", "aria-label": `${name}: ${row ? moment(row.at) : cancelled ? "cancelled" : "not yet"}` },
      element("strong", {}, name), element("span", {}, row ? moment(row.at) : ""), row?.courier && element("span", { dir: "auto" }, row.courier));
  });
  $("stages").replaceChildren(...items);
  const expected = rows.filter((row) => row.expectedAt).at(-1)?.expectedAt;
  $("expected").textContent = cancelled ? `Cancelled: ${cancelled.reason ?? ""}` : reached.has("delivered") ? "Delivered."
    : expected ? `Expected ${moment(expected)}.` : "";
}

/** A form for what may be done next; with a field where something has to be said. */
function step(label, command, field) {
  const id = `step-${command}`;
  return element("form", { onsubmit: (submit) => {
    submit.preventDefault();
    act(command, { order, ...(field ? { [field.name]: submit.target.elements[id].value.trim() } : {}) });
  } },
    field && element("div", { class: "field" }, element("label", { for: id }, field.label), element("input", { id, required: true, autocomplete: "off" })),
    element("button", { class: command === "CancelOrder" ? "plain" : "" }, label));
}

let offered = "";
function next(rows) {
  const last = rows.filter((row) => row.stage !== "eta_revised").at(-1)?.stage;
  if (offered === order + last) return;
  offered = order + last;
  const steps = {
    received: [step("Give it to a courier", "AssignCourier", { name: "courier", label: "Courier" })],
    assigned: [step("It is picked up", "MarkPickedUp")],
    picked_up: [step("It is at the door", "MarkDelivered")],
  };
  const cancel = last in steps ? [step("Call it off", "CancelOrder", { name: "reason", label: "Reason" })] : [];
  $("next").replaceChildren(...(steps[last] ?? []), ...cancel);
}

async function show(after) {
  if (order) {
    const { rows } = await view("orders.status", { order, after });
    $("way").hidden = rows.length === 0;
    if (!rows.length) say(told, `There is no order ${order} yet.`);
    else if (told.textContent.startsWith("There is no order")) say(told, "");
    if (rows.length) {
      stages(rows);
      next(rows);
      $("history").replaceChildren(...rows.map((row) => element("li", { dir: "auto" }, `${moment(row.at)}: ${row.stage.replace("_", " ")}${row.courier ? ` by ${row.courier}` : ""}${row.reason ? ` (${row.reason})` : ""}`)));
    }
  }
  const late = await view("orders.late", { limit: 10 });
  $("late").replaceChildren(...(late.rows.length
    ? late.rows.map((row) => element("li", {}, element("a", { href: `?order=${encodeURIComponent(row.orderId)}` }, row.orderId), ` ${row.status.replace("_", " ")}, expected ${moment(row.expectedAt)}`))
    : [element("li", {}, "No order is late.")]));
}

const refresh = throttled(300, () => show().catch((problem) => problem.status && say(told, problem.message, true)));

async function act(command, fields) {
  try {
    const outcome = await send(command, fields);
    say(told, "Done.");
    await show(lastPlace(outcome));
    return true;
  } catch (problem) {
    say(told, problem.message, true);
  }
}

function choose(name) {
  order = name;
  $("order").value = order;
  keep("order", order);
  setParameter("order", order);
  following?.close();
  if (order) following = follow("orders.events", { from: "end", key: order }, () => setTimeout(refresh, 150));
  refresh();
}

$("choose").addEventListener("submit", (submit) => {
  submit.preventDefault();
  say(told, "");
  choose($("order").value.trim());
});
$("place").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const name = $("new-order").value.trim();
  if (!(await act("PlaceOrder", { order: name, customer: $("customer").value.trim() }))) return;
  $("new-order").value = "";
  choose(name);
});

choose(parameter("order") || kept("order"));
whenBack(refresh);
setInterval(() => { if (!document.hidden) refresh(); }, 10000);
