// A seat map: what is free, held and sold, as it changes; seats are chosen, held, bought and given back.
import {
  clock, element, eventID, follow, keep, kept, money, parameter, say, send, setParameter, view, wholeView,
} from "/ui/assets/millrace.js";

const $ = (id) => document.getElementById(id);
const [told, house, sections, holdButton] = [$("told"), $("house"), $("sections"), $("hold")];
const signs = { free: "", held: "o", sold: "×", mine: "✓" };
const topic = "tickets.events";

let event = "";
/** Every seat by SECTION/SEAT: { section, seat, status, hold, holder, until, price, currency, button }. */
let seats = new Map();
/** Holds of whoever looks, by their identifiers: { section, seats, until, status }. */
let holds = new Map();
let chosen = new Set();
let following;

const key = (section, seat) => `${section}/${seat}`;
const holder = () => $("holder").value.trim();

// What is shown

function status(seat) {
  return seat.status === "held" && seat.holder === holder() && holder() ? "mine" : seat.status;
}

function paint(seat) {
  const shown = status(seat);
  const isChosen = chosen.has(key(seat.section, seat.seat));
  const words = { free: "free", held: `held until ${clock(seat.until)}`, sold: "sold", mine: `held by you until ${clock(seat.until)}` };
  seat.button.className = `seat ${shown}`;
  seat.button.textContent = isChosen ? "●" : signs[shown] || seat.seat.split("-").at(-1);
  seat.button.setAttribute("aria-pressed", String(isChosen));
  seat.button.setAttribute("aria-disabled", String(shown !== "free"));
  seat.button.setAttribute("aria-label", `${seat.section}, seat ${seat.seat}, ${isChosen ? "chosen" : words[shown]}, ${money(seat.price, seat.currency)}`);
}

function choose(seat) {
  const name = key(seat.section, seat.seat);
  if (chosen.has(name)) chosen.delete(name);
  else if (seat.status === "free") {
    // Seats of one section are held together.
    for (const other of [...chosen]) {
      if (seats.get(other).section !== seat.section) {
        chosen.delete(other);
        paint(seats.get(other));
      }
    }
    chosen.add(name);
  } else return;
  paint(seat);
  count();
}

function count() {
  const all = [...chosen].map((name) => seats.get(name));
  const total = all.reduce((sum, seat) => sum + seat.price, 0);
  $("chosen").textContent = all.length
    ? `${all.map((seat) => seat.seat).join(", ")}: ${money(total, all[0].currency)}`
    : "No seats chosen.";
  // It keeps the focus when there is nothing more to hold.
  holdButton.setAttribute("aria-disabled", String(all.length === 0));
}

/** Arrow keys go along a row, and to the row before or behind. */
function move(press) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -1e6], End: [0, 1e6] };
  const step = steps[press.key];
  if (!step) return;
  const rows = [...sections.querySelectorAll(".row-of-seats")];
  const row = press.target.closest(".row-of-seats");
  const place = [...row.querySelectorAll("button")].indexOf(press.target);
  const next = rows[rows.indexOf(row) + step[0]] ?? row;
  const those = next.querySelectorAll("button");
  const target = those[Math.min(those.length - 1, Math.max(0, place + step[1]))];
  press.preventDefault();
  rest(target);
  target.focus();
}

/** One seat is reached by the tab key, the others by arrow keys. */
function rest(button) {
  for (const other of sections.querySelectorAll("button[tabindex='0']")) other.tabIndex = -1;
  button.tabIndex = 0;
}

function build(rows) {
  seats = new Map();
  const bySection = Map.groupBy ? Map.groupBy(rows, (row) => row.section) : grouped(rows);
  sections.replaceChildren(
    ...[...bySection].map(([name, own]) => {
      const lines = new Map();
      for (const row of own) {
        const button = element("button", { type: "button", tabindex: "-1" });
        const seat = { section: name, seat: row.seat, status: row.status, hold: row.hold, holder: row.holder,
          until: row.heldUntil, price: row.price, currency: row.currency, button };
        seats.set(key(name, row.seat), seat);
        button.addEventListener("click", () => (rest(button), choose(seat)));
        if (!lines.has(row.rowLabel)) lines.set(row.rowLabel, []);
        lines.get(row.rowLabel).push([row.number, button]);
        if (row.status === "held" && row.holder === holder()) remember(row.hold, name, row.seat, row.heldUntil);
      }
      return element(
        "div",
        { class: "house-section", role: "group", "aria-label": `Section ${name}`, "aria-describedby": "keys" },
        element("h2", { dir: "auto" }, `${name}, ${money(own[0].price, own[0].currency)} a seat`),
        element(
          "div",
          { class: "rows" },
          ...[...lines].map(([label, buttons]) =>
            element(
              "div",
              { class: "row-of-seats", role: "group", "aria-label": `Row ${label}` },
              element("span", { class: "row-label", "aria-hidden": "true" }, label),
              ...buttons.sort((a, b) => a[0] - b[0]).map(([, button]) => button),
            ),
          ),
        ),
      );
    }),
  );
  chosen = new Set([...chosen].filter((name) => seats.get(name)?.status === "free"));
  sections.querySelector("button")?.setAttribute("tabindex", "0");
  for (const seat of seats.values()) paint(seat);
  count();
}

function grouped(rows) {
  const all = new Map();
  for (const row of rows) all.set(row.section, [...(all.get(row.section) ?? []), row]);
  return all;
}

// Holds

function remember(hold, section, seat, until, status = "held") {
  const known = holds.get(hold) ?? { section, seats: [], until, status };
  if (!known.seats.includes(seat)) known.seats.push(seat);
  Object.assign(known, { status });
  holds.set(hold, known);
}

function said(own) {
  if (own.status !== "held") return `${own.seats.join(", ")}: ${own.status}`;
  const left = Math.max(0, Math.round((new Date(own.until) - Date.now()) / 1000));
  return `${own.seats.join(", ")}: ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`;
}

let listed = "";
/** What ticks is a text alone: a button that somebody is about to press stays. */
function showHolds() {
  const list = $("holds");
  const now = JSON.stringify([event, holder(), ...[...holds].map(([hold, own]) => [hold, own.status, own.seats])]);
  if (now === listed) {
    [...holds.values()].forEach((own, index) => (list.children[index].firstChild.textContent = said(own)));
    return;
  }
  listed = now;
  const had = document.activeElement?.dataset.of;
  list.replaceChildren(
    ...[...holds].map(([hold, own]) => {
      const isHeld = own.status === "held";
      const button = (name, command, fields) =>
        element("button", { type: "button", "data-of": `${name} ${hold}`, class: name === "Buy" ? "" : "plain", "aria-label": `${name} ${own.seats.join(", ")}`,
          onclick: () => act(command, { event, section: own.section, hold, holder: holder(), ...fields }) }, name);
      return element("li", {}, element("p", {}, said(own)),
        isHeld && button("Buy", "ConfirmPurchase", { paymentToken: `demo_${hold}` }), isHeld && button("Release", "ReleaseHold", {}));
    }),
  );
  if (had) [...list.querySelectorAll("button")].find((one) => one.dataset.of === had)?.focus();
  if (!holds.size) list.replaceChildren(element("li", {}, element("p", {}, "You hold nothing.")));
}

async function act(command, fields) {
  try {
    const outcome = await send(command, fields);
    say(told, command === "HoldSeats" ? "Held for five minutes." : command === "ReleaseHold" ? "Given back." : "Bought.");
    return outcome;
  } catch (problem) {
    say(told, problem.message, true);
  }
}

// What comes

function apply(record) {
  const { type, event: body } = record;
  if (body.event !== event) return;
  if (type === "SectionOpened") return void show(`${topic}/${record.partition}@${record.offset}`);
  const next = { SeatHeld: "held", SeatSold: "sold", SeatReleased: "free", HoldExpired: "free" }[type];
  if (!next) return;
  for (const name of body.seats ?? []) {
    const seat = seats.get(key(body.section, name));
    if (!seat) continue;
    Object.assign(seat, { status: next, hold: body.hold, holder: next === "free" ? null : body.holder, until: body.expiresAt ?? seat.until });
    if (next !== "free") chosen.delete(key(body.section, name));
    if (type === "SeatHeld" && body.holder === holder() && holder()) remember(body.hold, body.section, name, body.expiresAt);
    paint(seat);
  }
  const own = holds.get(body.hold);
  if (own) own.status = { SeatHeld: "held", SeatSold: "bought", SeatReleased: "released", HoldExpired: "run out" }[type];
  count();
  showHolds();
}

/** Shows the seats as the view has them, where it has seen some place of the log, and follows them from there. */
async function show(after) {
  following?.close();
  holds = new Map();
  // A section that opens meanwhile takes nobody's choice away.
  if (!after) chosen = new Set();
  if (!event) return;
  try {
    const { rows, asOf } = await wholeView("tickets.seats", { event, after });
    house.hidden = rows.length === 0;
    if (!rows.length) say(told, `There are no seats of ${event} yet.`);
    else say(told, "");
    build(rows);
    showHolds();
    following = follow(topic, { from: "start", "last-event-id": eventID(asOf, topic) }, apply);
  } catch (problem) {
    say(told, problem.message, true);
  }
}

async function calendar() {
  const year = 365 * 86400e3;
  const [from, to] = [-1, 10].map((years) => new Date(Date.now() + years * year).toISOString());
  const { rows } = await view("tickets.calendar", { from, to }).catch(() => ({ rows: [] }));
  $("events").replaceChildren(...rows.map((row) => element("option", { value: row.event }, row.title)));
  $("empty").hidden = rows.length > 0;
  return rows;
}

async function sample() {
  const startsAt = new Date(Date.now() + 30 * 86400e3).toISOString();
  const rows = (labels, count) => [...labels].map((label) => ({ label, seats: count }));
  try {
    await send("ListEvent", { event: "gala", title: "New Year Gala", venue: "Opera", startsAt, sections: [
      { name: "stalls", rows: rows("ABCDEF", 14), price: { amount: 4500, currency: "EUR" } },
      { name: "circle", rows: rows("AB", 10), price: { amount: 9000, currency: "EUR" } },
    ] }, "gala-of-the-page");
    $("event").value = event = "gala";
    setParameter("event", event);
    $("empty").hidden = true;
    await show();
  } catch (problem) {
    say(told, problem.message, true);
  }
}

$("choose").addEventListener("submit", (submit) => {
  submit.preventDefault();
  event = $("event").value.trim();
  setParameter("event", event);
  keep("holder", holder());
  show();
});
$("holder").addEventListener("change", () => {
  keep("holder", holder());
  if (event) show();
});
sections.addEventListener("keydown", move);
holdButton.addEventListener("click", async () => {
  if (!holder()) {
    say(told, "Say your name first.", true);
    return $("holder").focus();
  }
  const all = [...chosen].map((name) => seats.get(name));
  if (!all.length) return say(told, "Choose seats first.", true);
  await act("HoldSeats", { event, section: all[0].section, holder: holder(), seats: all.map((seat) => seat.seat) });
});
$("sample").addEventListener("click", sample);

$("holder").value = parameter("holder") || kept("holder");
const rows = await calendar();
event = parameter("event") || (rows[0]?.event ?? "");
$("event").value = event;
await show();
setInterval(() => { if ([...holds.values()].some((own) => own.status === "held")) showHolds(); }, 1000);
