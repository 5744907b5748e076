// What all pages use: asking views, sending commands, following topics, and knowing whether the server is there.

const changes = new EventTarget();
let isGone = false;

/** Notes whether the server answers; the page says so where it does not. */
export function reachable(isThere) {
  if (isThere === !isGone) return;
  isGone = !isThere;
  const banner = document.getElementById("gone");
  if (banner) banner.hidden = isThere;
  changes.dispatchEvent(new Event(isThere ? "back" : "gone"));
}

/** Calls something each time that the server is there again. */
export function whenBack(call) {
  changes.addEventListener("back", () => call());
}

/** Why the server does not do something. */
export class Problem extends Error {
  constructor(status, detail, field, reason) {
    super(detail);
    Object.assign(this, { status, field, reason });
  }
}

/** Asks the server; a refusal is thrown as a Problem. */
export async function ask(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { credentials: "same-origin", cache: "no-cache", ...options });
  } catch (error) {
    reachable(false);
    throw error;
  }
  reachable(true);
  if (reply.ok) return reply;
  let told = {};
  try {
    told = await reply.json();
  } catch {
    // What is told is no JSON: the status says enough.
  }
  throw new Problem(reply.status, told.detail ?? reply.statusText, told.field, told.reason);
}

function query(parameters) {
  const said = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(said).toString();
  return text ? "?" + text : "";
}

/** A page of a view: { rows, next, asOf }. */
export async function view(name, parameters = {}) {
  return (await ask(`/views/${encodeURIComponent(name)}${query(parameters)}`)).json();
}

/** All rows of a view, up to a limit. */
export async function wholeView(name, parameters = {}, most = 5000) {
  const all = await view(name, { limit: 1000, ...parameters });
  for (let next = all.next; next && all.rows.length < most; ) {
    const page = await view(name, { limit: 1000, ...parameters, cursor: next });
    all.rows.push(...page.rows);
    next = page.next;
  }
  return all;
}

/** An identifier that nobody else has; also where the page was not loaded over TLS. */
export function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends a command: its outcome, or a Problem with the reason. */
export async function send(command, fields, id = newID()) {
  const reply = await ask(`/commands/${encodeURIComponent(command)}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": id },
    body: JSON.stringify(fields),
  });
  return reply.json();
}

/** What a command's outcome wrote, as the parameter `after` of a view takes it. */
export function lastPlace(outcome) {
  const event = outcome.events.at(-1);
  return event && `${event.topic}/${event.partition}@${event.offset}`;
}

/** Where a reader begins that has seen what a view has. */
export function eventID(asOf, topic) {
  const places = Object.entries(asOf).filter(([place]) => place.startsWith(topic + "/"));
  return places.map(([place, next]) => `${place.slice(topic.length + 1)}@${next}`).join(",");
}

/** Calls something with each message of an event stream. It goes on where it was, and rests while nobody looks. */
export function listen(path, parameters, call) {
  let source, timer;
  let last = parameters["last-event-id"];
  function open() {
    source?.close();
    source = new EventSource(path + query({ ...parameters, "last-event-id": last }));
    source.onopen = () => reachable(true);
    source.onmessage = (message) => {
      if (message.lastEventId) last = message.lastEventId;
      call(JSON.parse(message.data));
    };
    source.onerror = () => {
      // It tries again by itself, but not where it was answered with an error.
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(timer);
      timer = setTimeout(open, 2000);
    };
  }
  function look() {
    if (document.hidden) close();
    else open();
  }
  function close() {
    clearTimeout(timer);
    source?.close();
  }
  document.addEventListener("visibilitychange", look);
  look();
  return {
    close() {
      document.removeEventListener("visibilitychange", look);
      close();
    },
  };
}

/** Follows a topic: each record is { topic, partition, offset, timestamp, key, type, event }. */
export function follow(topic, parameters, call) {
  return listen(`/topics/${encodeURIComponent(topic)}`, { ...parameters, follow: "true" }, call);
}

/** Calls something at most once in so many milliseconds, and once more after the last time that it was wanted. */
export function throttled(milliseconds, call) {
  let timer, isWanted = false;
  return function want() {
    if (timer) {
      isWanted = true;
      return;
    }
    call();
    timer = setTimeout(() => {
      timer = undefined;
      if (isWanted) {
        isWanted = false;
        want();
      }
    }, milliseconds);
  };
}

/** An element. What is text stays text. */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  set(made, attributes);
  const said = content.flat().filter((one) => one !== undefined && one !== null && one !== false);
  made.append(...said.map((one) => (typeof one === "string" ? shown(one) : one)));
  return made;
}

/** An element of a drawing. */
export function drawn(name, attributes = {}, ...content) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(made, attributes);
  made.append(...content);
  return made;
}

function set(made, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
}

/** A moment as a clock shows it, here. */
export function clock(timestamp) {
  return new Date(timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** An amount of minor units as people write it. */
export function money(amount, currency) {
  try {
    const format = new Intl.NumberFormat([], { style: "currency", currency });
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch {
    return `${amount} ${currency}`;
  }
}

/** What shows nothing or turns the text around it, but for the joiners of emoji. */
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A text as it may be shown beside others: those are written as escapes, as on a terminal. */
export function shown(text) {
  return text.replace(hidden, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
}

/** Says something in a line that screen readers read out. */
export function say(line, text, isBad = false) {
  line.textContent = text;
  line.classList.toggle("error", isBad);
}

/** What is kept in this browser under a name, and a way to keep it. */
export function kept(name, fallback = "") {
  try {
    return localStorage.getItem("millrace." + name) ?? fallback;
  } catch {
    return fallback;
  }
}
export function keep(name, value) {
  try {
    localStorage.setItem("millrace." + name, value);
  } catch {
    // A browser that keeps nothing is asked again.
  }
}

/** Parameters of this page, and a way to change them without loading it anew. */
export function parameter(name) {
  return new URLSearchParams(location.search).get(name) ?? "";
}
export function setParameter(name, value) {
  const url = new URL(location.href);
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
  history.replaceState(null, "", url);
}
