// Timelines (latest and ranked), a profile, a thread, and a search, as they change; trends; forms to post, reply and follow. What else
// there is stands in places.js.
import {
  element, follow, keep, kept, lastPlace, parameter, say, send, setParameter, throttled, view, whenBack,
} from "/ui/assets/millrace.js";
import { numbers, places } from "./places.js";

const $ = (id) => document.getElementById(id);
const told = $("told");
const size = 50;
let user = "";
/** Rows of pages after the first, which "Show more" has brought. */
let further = [];
let next = null;

/** An address of this page: who one is stays, the rest is given. */
function address(fields) {
  const url = new URLSearchParams();
  if (user) url.set("user", user);
  for (const [name, value] of Object.entries(fields)) if (value) url.set(name, value);
  return `?${url}`;
}
const profile = (name) => element("a", { href: address({ of: name }) }, `@${name}`);
const number = (value, one, many) => value > 0 && element("span", {}, `${value} ${value === 1 ? one : many}`);

const parts = [
  ["byRecency", "new"], ["byInterests", "of your interests"], ["byFriends", "common friends"],
  ["byFame", "followers of whom you follow"], ["byLikes", "likes"], ["byRetweets", "retweets"],
];
/** Why a row stands where it does, in numbers. */
function why(row) {
  const shown = row.byRecency === undefined
    ? row.relevance !== undefined && row.score !== null && row.relevance > 0 && mode().order === "ranked" &&
      [["fits what you look for", row.relevance], ["times, for likes and retweets", row.social]]
    : parts.map(([name, label]) => [label, row[name]]).filter(([, value]) => value >= 0.0005);
  if (!shown) return null;
  return numbers(`Score ${row.score.toFixed(2)}: why`, shown);
}

function tweet(row) {
  const [author, id] = row.retweetOf ? [row.retweetOf, row.original] : [row.user, row.tweet];
  return element(
    "li",
    row.depth === undefined ? {} : { "data-depth": String(Math.min(3, Math.max(0, row.depth))), class: row.depth === 0 ? "asked" : "" },
    element(
      "div", { class: "who-line" },
      element("strong", {}, profile(author)),
      row.retweetOf && element("span", {}, "passed on by ", profile(row.user)),
      row.why === "mention" && element("span", {}, "names you"),
      row.replyToUser && element("span", {}, "answers ", profile(row.replyToUser)),
      element("a", { href: address({ owner: author, tweet: id }) },
        element("time", { datetime: row.postedAt }, new Date(row.postedAt).toLocaleString())),
    ),
    element("p", { dir: "auto" }, row.text),
    row.quotedText && element("blockquote", { dir: "auto" }, row.quotedText),
    element(
      "div", { class: "who-line" },
      number(row.likes, "like", "likes"), number(row.retweets, "retweet", "retweets"),
      number(row.replies, "reply", "replies"), number(row.quotes, "quote", "quotes"),
    ),
    why(row),
  );
}

/** What the address asks for: a query, its parameters, and how it is called. */
function mode() {
  const [q, of, owner, id, order] = ["q", "of", "owner", "tweet", "order"].map(parameter);
  const ranked = order === "ranked";
  const place = places[parameter("show")];
  if (place) return place({ user, parameter });
  if (q) return { query: "social.search", fields: { q, order: ranked ? "ranked" : "newest", viewer: user || undefined }, heading: `Tweets for ${q}`, order, base: { q }, orders: true, empty: "Nothing found." };
  if (owner && id) return { query: "social.thread", fields: { owner, tweet: id, viewer: user || undefined }, heading: `A tweet of @${owner}`, empty: "This tweet is not there.", reply: { owner, id } };
  if (of) return { query: "social.user", fields: { user: of, counts: true, viewer: user || undefined }, heading: `@${of}`, empty: "No tweets.", of };
  if (!user) return { heading: "Timeline", empty: "Say who you are to see your timeline." };
  if (ranked) return { query: "social.home", fields: { user }, heading: "Timeline", order, base: {}, orders: true, empty: "Nothing yet: post something, or follow somebody." };
  return { query: "social.timeline", fields: { user, counts: true }, heading: "Timeline", order, base: {}, orders: true, empty: "Nothing yet: post something, or follow somebody." };
}

/** Links: [fields of the address, label, whether it is where one is] each. */
const links = (list) => list.map(([fields, label, isCurrent]) => element(
  "a", { href: address(fields), ...(isCurrent ? { "aria-current": "true" } : {}) }, label));

function heading(now) {
  const show = parameter("show");
  $("places").replaceChildren(...links([
    ["", "Timeline"], ["moments", "Moments"], ["suggestions", "Who to follow"], ["flagged", "Flagged accounts"],
  ].map(([place, label]) => [{ show: place }, label, place ? place === show : now.query === "social.timeline" || now.query === "social.home"])));
  $("heading").textContent = now.heading;
  $("heading-about").textContent = now.about ?? "";
  $("heading-about").hidden = !now.about;
  $("text-label").textContent = now.reply ? "Your reply" : "What is new?";
  $("post").hidden = Boolean(show);
  const orders = now.orders ? [["", "Latest"], ["ranked", "Ranked"]] : [];
  const rows = now.links ?? [orders.map(([order, label]) => [{ ...now.base, order }, label, (now.order || "") === order])];
  $("orders").replaceChildren(...(rows.length === 1 ? links(rows[0]) : rows.map((row) => element("span", { class: "row" }, ...links(row)))));
}

let shown = "";
async function timeline(after) {
  const now = mode();
  heading(now);
  if (!now.query) {
    $("timeline").replaceChildren(element("li", { class: "empty" }, now.empty));
    return;
  }
  const asked = JSON.stringify([now.query, now.fields]);
  const limit = now.size ?? size;
  let page = await view(now.query, { ...now.fields, limit, after });
  // A page of which all is hidden from the reader is empty, and not the last.
  for (let tries = 0; page.rows.length === 0 && page.next && tries < 10; tries++) {
    page = await view(now.query, { ...now.fields, limit, cursor: page.next });
  }
  if (further.length === 0) next = page.next;
  const rows = [...page.rows, ...further];
  const text = JSON.stringify([asked, rows]);
  if (text === shown || asked !== JSON.stringify([mode().query, mode().fields])) return;
  shown = text;
  const open = new Set([...document.querySelectorAll("#timeline details[open]")].map((one) => one.parentElement.dataset.key));
  let group;
  $("timeline").replaceChildren(...(rows.length ? rows.flatMap((row) => {
    const item = (now.row ?? tweet)(row, { address, profile, act });
    item.dataset.key = `${row.user}/${row.tweet}`;
    if (open.has(item.dataset.key)) item.querySelector("details")?.setAttribute("open", "");
    if (!now.group || now.group(row) === group) return [item];
    group = now.group(row);
    return [element("li", { class: "group" }, element("h3", {}, group)), item];
  }) : [element("li", { class: "empty" }, now.empty)]));
  $("more").hidden = !next || Boolean(now.isOverview);
}

/** Who is found beside tweets; of a profile, whom it follows and who follows it. */
async function people() {
  const now = mode();
  let found = [];
  const name = (now.fields?.q ?? "").replace(/^@/, "");
  if (now.query === "social.search" && /^\w{1,20}$/.test(name)) {
    const { rows } = await view("social.people", { q: name, viewer: user || undefined, limit: 10 });
    found = rows.map((row) => element("span", {}, profile(row.user), ` ${row.followers} followers`));
  } else if (now.of) {
    const [followers, followees] = await Promise.all(
      ["social.followers", "social.followees"].map((query) => view(query, { user: now.of, limit: 10 })));
    const list = (label, page) => page.rows.length > 0 && element(
      "span", {}, `${label} `, ...page.rows.flatMap((row, i) => [i ? ", " : "", profile(row.user)]), page.next ? " and others" : "");
    found = [list("Followed by", followers), list("Follows", followees)].filter(Boolean);
  }
  $("people").replaceChildren(...found);
  $("people").hidden = found.length === 0;
}

let personal = false;
async function trends() {
  const { rows } = await view("social.trends", { window: "1h", limit: 10, for: personal && user ? user : undefined });
  $("whose").replaceChildren(...(user ? [element("button", { type: "button", "aria-pressed": String(personal) }, "For you")] : []));
  $("quiet").hidden = rows.length === 0 || rows.some((row) => row.score >= 6);
  const count = (value, one, many) => value > 0 && `${value} ${value === 1 ? one : many}`;
  $("trends").replaceChildren(
    ...(rows.length
      ? rows.map((row) => {
          const used = row.tweets + row.retweets;
          const [name, words] = used ? [`#${row.hashtag}`, `#${row.hashtag}`] : [row.hashtag, /\s/.test(row.hashtag) ? `"${row.hashtag}"` : row.hashtag];
          const said = [count(used, "use", "uses"), count(row.searches, "search", "searches"), count(row.news, "headline", "headlines"), `burst ${row.score.toFixed(1)}`];
          return element("li", {}, element("a", { href: address({ q: words }) }, name), " ", element("small", {}, said.filter(Boolean).join(", ")));
        })
      : [element("li", {}, "No hashtags yet.")]),
  );
}
$("whose").addEventListener("click", (click) => {
  if (click.target.tagName !== "BUTTON") return;
  personal = !personal;
  refresh();
});

/** Looks now, and a moment later too: timelines are filled after the event. */
const refresh = throttled(400, async () => {
  try {
    await Promise.all([timeline(), trends(), people()]);
    if (told.classList.contains("error")) say(told, "");
  } catch (problem) {
    if (problem.status) say(told, problem.message, true);
  }
});

/** Sends a command as who one is, which it has as `actor`. */
async function act(command, fields, done, actor = "user") {
  if (!user) {
    say(told, "Say who you are first.", true);
    return $("user").focus();
  }
  try {
    const outcome = await send(command, { [actor]: user, ...fields });
    say(told, done);
    await timeline(lastPlace(outcome)).catch(() => {});
    refresh();
    return true;
  } catch (problem) {
    say(told, problem.message, true);
  }
}

$("who").addEventListener("submit", (submit) => {
  submit.preventDefault();
  user = $("user").value.trim();
  keep("user", user);
  for (const name of ["q", "of", "owner", "tweet"]) setParameter(name, "");
  setParameter("user", user);
  [further, next] = [[], null];
  say(told, "");
  refresh();
});
$("search").addEventListener("submit", (submit) => {
  submit.preventDefault();
  for (const name of ["of", "owner", "tweet", "show"]) setParameter(name, "");
  setParameter("q", $("q").value.trim());
  [further, next] = [[], null];
  refresh();
});
$("post").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const { reply } = mode();
  const answer = reply ? { replyToUser: reply.owner, replyToTweet: reply.id } : {};
  if (await act("PostTweet", { text: $("text").value, ...answer }, reply ? "Answered." : "Posted.")) $("text").value = "";
});
$("follow").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const followee = $("followee").value.trim();
  if (await act("Follow", { followee }, `You follow @${followee}.`)) $("followee").value = "";
});
$("more").addEventListener("click", async () => {
  const now = mode();
  try {
    const page = await view(now.query, { ...now.fields, limit: size, cursor: next });
    further.push(...page.rows);
    next = page.next;
    await timeline();
  } catch (problem) {
    say(told, problem.message, true);
  }
});

user = parameter("user") || kept("user");
$("user").value = user;
$("q").value = parameter("q");
refresh();
// What enters timelines, and what is passed to readers who fetch it, comes over these.
follow("social.events", { from: "end" }, refresh);
follow("social.home", { from: "end" }, refresh);
whenBack(refresh);
// Trends grow old by the clock alone.
setInterval(() => { if (!document.hidden) refresh(); }, 5000);
