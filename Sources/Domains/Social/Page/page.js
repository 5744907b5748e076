// A user's timeline as it changes, trends, and forms to post and to follow.
import {
  element, follow, keep, kept, lastPlace, parameter, say, send, setParameter, throttled, view, whenBack,
} from "/ui/assets/millrace.js";

const $ = (id) => document.getElementById(id);
const told = $("told");
let user = "";

function tweet(row) {
  return element(
    "li",
    {},
    element(
      "div",
      { class: "who-line" },
      element("strong", {}, `@${row.retweetOf ?? row.user}`),
      row.retweetOf && element("span", {}, `passed on by @${row.user}`),
      row.why === "mention" && element("span", {}, "names you"),
      element("time", { datetime: row.postedAt }, new Date(row.postedAt).toLocaleString()),
    ),
    element("p", { dir: "auto" }, row.text),
  );
}

let shown = "";
async function timeline(after) {
  if (!user) return;
  const whose = user;
  const { rows } = await view("social.timeline", { user, limit: 50, after });
  const text = JSON.stringify([whose, rows]);
  if (text === shown || whose !== user) return;
  shown = text;
  $("timeline").replaceChildren(
    ...(rows.length ? rows.map(tweet) : [element("li", { class: "empty" }, "Nothing yet: post something, or follow somebody.")]),
  );
}

async function trends() {
  const { rows } = await view("social.trends", { window: "1h", limit: 10 });
  $("trends").replaceChildren(
    ...(rows.length
      ? rows.map((row) =>
          element("li", {}, `#${row.hashtag} `, element("small", {}, `${row.tweets + row.retweets} uses, burst ${row.score.toFixed(1)}`)))
      : [element("li", {}, "No hashtags yet.")]),
  );
}

/** Looks now, and a moment later too: timelines are filled after the event. */
const refresh = throttled(400, async () => {
  try {
    await Promise.all([timeline(), trends()]);
    if (told.classList.contains("error")) say(told, "");
  } catch (problem) {
    if (problem.status) say(told, problem.message, true);
  }
});

async function act(command, fields, done) {
  if (!user) {
    say(told, "Say who you are first.", true);
    return $("user").focus();
  }
  try {
    const outcome = await send(command, { user, ...fields });
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
  setParameter("user", user);
  say(told, "");
  refresh();
});
$("post").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  if (await act("PostTweet", { text: $("text").value }, "Posted.")) $("text").value = "";
});
$("follow").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const followee = $("followee").value.trim();
  if (await act("Follow", { followee }, `You follow @${followee}.`)) $("followee").value = "";
});

user = parameter("user") || kept("user");
$("user").value = user;
if (!user) $("timeline").replaceChildren(element("li", { class: "empty" }, "Say who you are to see your timeline."));
refresh();
// What enters timelines, and what is passed to readers who fetch it, comes over these.
follow("social.events", { from: "end" }, refresh);
follow("social.home", { from: "end" }, refresh);
whenBack(refresh);
// Trends grow old by the clock alone.
setInterval(() => { if (!document.hidden) refresh(); }, 5000);
