// Streams the latest events into the overview.
import { clock, element, listen } from "./millrace.js";

const shown = 30;
const list = document.getElementById("latest");
const state = document.getElementById("latest-state");
let quiet;

if (list) {
  list.replaceChildren();
  state.textContent = "Waiting for events.";
  listen("/ui/latest", {}, ({ events, more }) => {
    for (const record of events) {
      list.prepend(
        element(
          "li",
          {},
          element("time", { datetime: record.timestamp }, clock(record.timestamp)),
          element("a", { href: `/ui/topics/${encodeURIComponent(record.topic)}` }, record.topic),
          element("strong", {}, record.type),
          element("code", { dir: "auto" }, JSON.stringify(record.event)),
        ),
      );
    }
    while (list.children.length > shown) list.lastChild.remove();
    // A screen reader is not told of each, but that there are some.
    const text = more ? `${more.toLocaleString()} more at this moment.` : "Events are coming in.";
    if (state.textContent !== text) state.textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => (state.textContent = "No events for ten seconds."), 10000);
  });
}
