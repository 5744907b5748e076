// Of every page: looks whether the server is there, and reads again what is live.
import { ask, Problem, reachable } from "./millrace.js";

const pause = 2000;

async function look() {
  if (!document.hidden) {
    const live = document.querySelectorAll("[data-live]");
    try {
      if (live.length) await refresh(live);
      else await ask("/healthz");
    } catch (error) {
      if (error instanceof Problem && error.status === 401) location.reload();
      else if (error instanceof Problem && error.status >= 500) reachable(false);
    }
  }
  setTimeout(look, pause);
}

async function refresh(live) {
  const reply = await ask(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const part of live) {
    const next = page.getElementById(part.id);
    // Somebody who is in it is not disturbed.
    if (!next || part.contains(document.activeElement) || part.innerHTML === next.innerHTML) continue;
    part.replaceChildren(...[...next.childNodes].map((node) => document.importNode(node, true)));
  }
}

setTimeout(look, pause);

// What a form has sent stays as it is until there is an answer.
function disable(form, isDisabled) {
  for (const button of form.querySelectorAll("button")) button.disabled = isDisabled;
}
document.addEventListener("submit", (submit) => {
  const form = submit.target;
  if (form.method === "post" && !submit.defaultPrevented) setTimeout(() => disable(form, true));
});
addEventListener("pageshow", () => document.querySelectorAll("form[method=post]").forEach((form) => disable(form, false)));
