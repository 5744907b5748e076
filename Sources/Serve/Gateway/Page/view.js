// A slider for the past beside the field `as-of`.
import { element } from "./millrace.js";

// Seconds ago that the slider's places stand for: fine near now.
const places = [0, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 259200, 604800];

function said(seconds) {
  if (seconds === 0) return "now";
  const [amount, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [seconds / 60, "m"]
    : seconds < 86400 ? [seconds / 3600, "h"] : [seconds / 86400, "d"];
  return `${amount}${unit} ago`;
}

const field = document.querySelector("input[data-as-of]");
if (field) {
  const told = /^@-(\d+)s$/.exec(field.value);
  const start = told ? places.findIndex((place) => place >= Number(told[1])) : 0;
  const output = element("output", { for: "as-of-slider" }, said(places[Math.max(0, start)]));
  const slider = element("input", {
    type: "range", id: "as-of-slider", min: 0, max: places.length - 1, step: 1, value: Math.max(0, start),
    "aria-label": "How long ago", class: "slider",
  });
  const show = () => {
    const seconds = places[slider.value];
    field.value = seconds === 0 ? "" : `@-${seconds}s`;
    output.textContent = said(seconds);
    slider.setAttribute("aria-valuetext", said(seconds));
  };
  slider.addEventListener("input", show);
  slider.addEventListener("change", () => field.form.requestSubmit());
  field.after(slider, output);
}
