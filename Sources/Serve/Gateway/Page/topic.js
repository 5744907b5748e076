// Follows the topic that is shown, from here on.
import { element, follow } from "./millrace.js";

const form = document.querySelector("form[data-topic]");
const button = document.getElementById("follow");
const rows = document.querySelector("#records tbody");
const state = document.getElementById("follow-state");
const most = 500;
let following;

function row(record) {
  return element(
    "tr",
    {},
    element("td", { class: "t" }, `${record.partition}@${record.offset}`),
    element("td", { class: "t" }, record.timestamp),
    element("td", { class: (record.key ?? "").length > 32 ? "t long" : "t", dir: "auto" }, record.key),
    element("td", { class: "t", dir: "auto" }, record.type),
    element("td", { class: "t event", dir: "auto" }, element("code", {}, JSON.stringify(record.event))),
  );
}

if (button && rows) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (following) {
      following.close();
      following = undefined;
      state.textContent = "";
    } else {
      const fields = new FormData(form);
      const asked = Object.fromEntries(["partition", "key", "type"].map((name) => [name, fields.get(name)]));
      let count = 0;
      state.textContent = "Following: records appear above as they come.";
      following = follow(form.dataset.topic, { ...asked, from: "end" }, (record) => {
        rows.prepend(row(record));
        while (rows.children.length > most) rows.lastChild.remove();
        count += 1;
        state.textContent = `Following: ${count.toLocaleString()} came.`;
      });
    }
    button.setAttribute("aria-pressed", String(following !== undefined));
    button.textContent = following ? "Stop following" : "Follow";
  });
}
