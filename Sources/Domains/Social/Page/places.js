// What the page shows beside timelines: whom to follow, Moments, and accounts that count as fake. Each says what it asks and how a row looks.
import { element } from "/ui/assets/millrace.js";

const counted = (value, one, many) => `${value} ${value === 1 ? one : many}`;

/** A summary that opens to numbers: [name, value] each. */
export function numbers(summary, shown) {
  const list = shown.flatMap(([label, value]) => [
    element("dt", {}, label), element("dd", {}, Number.isInteger(value) ? String(value) : value.toFixed(3)),
  ]);
  return element("details", { class: "why" }, element("summary", {}, summary), element("dl", {}, ...list));
}

/** A form of one button, which does something. */
function deed(label, about, call) {
  const form = element("form", { class: "inline" }, element("button", { "aria-label": about }, label));
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    call();
  });
  return form;
}

/** Why somebody is suggested, in words. */
function reasons(row) {
  const said = [
    row.followsYou > 0 && "follows you",
    row.followedByFollowees > 0 && `followed by ${counted(row.followedByFollowees, "account", "accounts")} that you follow`,
    row.commonFollowees > 0 && `follows ${counted(row.commonFollowees, "account", "accounts")} that you follow`,
    row.followedByFollowers > 0 && `followed by ${counted(row.followedByFollowers, "follower", "followers")} of yours`,
    row.followersFollowed > 0 && `follows ${counted(row.followersFollowed, "follower", "followers")} of yours`,
    row.samePlace > 0 && "lives where you do",
    row.commonInterests > 0 && `shares ${counted(row.commonInterests, "interest", "interests")} with you`,
  ].filter(Boolean);
  if (said.length === 0 && row.byUsersAlike > 0) said.push("followed by accounts that are like you");
  return said.length ? said : [`one of those with the most followers`];
}

const measures = [
  ["followedByFollowees", "follow them, of whom you follow"], ["commonFollowees", "followed by you both"],
  ["followedByFollowers", "follow you and them"], ["followersFollowed", "follow you, followed by them"],
  ["adamicAdar", "Adamic-Adar"], ["resourceAllocation", "resource allocation"], ["byUsersAlike", "by users like you"],
  ["byPlace", "for the same place"], ["byInterests", "for common interests"],
  ["followers", "followers"], ["followees", "followees"],
];

function suggestion(row, page) {
  return element(
    "li", {},
    element(
      "div", { class: "who-line" }, element("strong", {}, page.profile(row.user)),
      element("span", {}, counted(row.followers, "follower", "followers"))),
    element("ul", { class: "reasons" }, ...reasons(row).map((one) => element("li", {}, one))),
    deed("Follow", `Follow @${row.user}`, () => page.act("Follow", { followee: row.user }, `You follow @${row.user}.`)),
    numbers(`Score ${row.score.toFixed(2)}: why`, measures.map(([name, label]) => [label, row[name]]).filter(([, value]) => value >= 0.0005)),
  );
}

function moment(row, page) {
  const isTweet = row.kind === "tweet";
  const at = element("time", { datetime: row.postedAt }, new Date(row.postedAt).toLocaleString());
  return element(
    "li", {},
    element(
      "div", { class: "who-line" }, element("strong", {}, isTweet ? page.profile(row.user) : row.user),
      isTweet ? element("a", { href: page.address({ owner: row.user, tweet: row.tweet }) }, at) : at,
      !isTweet && element("span", {}, "headline")),
    element("p", { dir: "auto" }, row.text),
    numbers(
      `Score ${row.score.toFixed(2)}: why`,
      [[`surely ${row.moment}`, row.sure], ["likes", row.likes], ["retweets", row.retweets]].filter(([label, value]) => label.startsWith("surely") || value > 0)),
  );
}

function flagged(row, page) {
  const judge = (command, label, about, done) => deed(label, about, () => page.act(command, { account: row.user }, done, "reviewer"));
  return element(
    "li", {},
    element(
      "div", { class: "who-line" }, element("strong", {}, page.profile(row.user)),
      row.verdict === "fake" ? element("span", { class: "bad" }, `a fake, says ${row.reviewer}`) : element("span", {}, "not judged yet"),
      row.tweets !== null && element("span", {}, `looked at with ${counted(row.tweets, "tweet", "tweets")}`),
      row.flaggedAt && element("time", { datetime: row.flaggedAt }, new Date(row.flaggedAt).toLocaleString())),
    row.score !== null && element("p", {}, `Likely a fake: ${(row.score / 10).toFixed(1)} in 100, by the model.`),
    row.reasons && element("ul", { class: "reasons" }, ...row.reasons.split("; ").map((one) => element("li", {}, one))),
    element(
      "div", { class: "deeds" },
      judge("ClearAccount", "No fake", `@${row.user} is no fake`, `@${row.user} is no fake, whatever the model says.`),
      row.verdict !== "fake" && judge("ConfirmFake", "A fake", `@${row.user} is a fake`, `@${row.user} is a fake: what it uses trends no more.`)),
  );
}

const classes = ["business", "fun", "health", "news", "sports", "technology"];
const windows = [["1h", "Last hour"], ["1d", "Last day"], ["7d", "Last week"]];

/** What there is beside timelines, by the parameter `show`. */
export const places = {
  suggestions: (page) => ({
    heading: "Who to follow", row: suggestion, size: 20,
    ...(page.user ? { query: "social.suggestions", fields: { user: page.user } } : {}),
    empty: page.user ? "Nobody yet: follow somebody, and there are some near them." : "Say who you are to see whom you might follow.",
  }),
  moments: (page) => {
    const [kind, window] = [page.parameter("moment"), page.parameter("window") || "1d"];
    const link = (fields, label, isCurrent) => [{ show: "moments", moment: kind, window, ...fields }, label, isCurrent];
    return {
      heading: "Moments", row: moment, size: kind ? 50 : 5, query: "social.moments", fields: { moment: kind, window, viewer: page.user || undefined },
      group: (row) => row.moment, isOverview: !kind,
      links: [
        [link({ moment: "" }, "All", !kind), ...classes.map((one) => link({ moment: one }, one, one === kind))],
        windows.map(([value, label]) => link({ window: value }, label, value === window)),
      ],
      empty: "Nothing in this time that is surely of one of these.",
    };
  },
  flagged: () => ({
    heading: "Accounts that count as fake", row: flagged, size: 50, query: "social.flagged", fields: {},
    about: "What they use trends no more. A human's word outranks the model's.",
    empty: "No account looks like a fake.",
  }),
};
