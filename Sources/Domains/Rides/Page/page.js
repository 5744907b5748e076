// Taxis on a plain map: where each was last, and a trail of where it was before.
import { clock, drawn, element, follow, say } from "/ui/assets/millrace.js";

const $ = (id) => document.getElementById(id);
const [width, height, margin] = [1000, 700, 40];
const most = 2000, trail = 8, stale = 60e3;
/** By driver: { places: [[lng, lat]…], at, dot, line }. */
const taxis = new Map();
let box, found = "", isWanted = false;

/** The box around all taxis, somewhat wider, in the map's proportions; degrees east are shorter the further north. */
function extent() {
  const all = [...taxis.values()].map((taxi) => taxi.places.at(-1));
  const [lngs, lats] = [all.map((place) => place[0]), all.map((place) => place[1])];
  const [west, east, south, north] = [min(lngs), max(lngs), min(lats), max(lats)];
  const inside = box && west >= box.west && east <= box.east && south >= box.south && north <= box.north;
  if (inside && (east - west) * 3 > box.east - box.west) return false;
  const middle = (south + north) / 2;
  const shrink = Math.max(0.05, Math.cos((middle * Math.PI) / 180));
  let high = Math.max(north - south, 0.002) * 1.2;
  let wide = Math.max(east - west, 0.002) * 1.2;
  const proportion = width / height;
  if (wide * shrink < high * proportion) wide = (high * proportion) / shrink;
  else high = (wide * shrink) / proportion;
  const centre = (west + east) / 2;
  box = { west: centre - wide / 2, east: centre + wide / 2, south: middle - high / 2, north: middle + high / 2 };
  return true;
}
const min = (all) => all.reduce((a, b) => Math.min(a, b), Infinity);
const max = (all) => all.reduce((a, b) => Math.max(a, b), -Infinity);

const x = (lng) => margin + ((lng - box.west) / (box.east - box.west)) * (width - 2 * margin);
const y = (lat) => margin + ((box.north - lat) / (box.north - box.south)) * (height - 2 * margin);

function grid() {
  const span = box.east - box.west;
  const step = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30].find((one) => span / one < 9) ?? 60;
  const digits = step < 0.01 ? 3 : step < 1 ? 2 : 0;
  const lines = [];
  for (let lng = Math.ceil(box.west / step) * step; lng < box.east; lng += step) {
    lines.push(drawn("line", { class: "line", x1: x(lng), x2: x(lng), y1: 0, y2: height }),
      drawn("text", { class: "scale", x: x(lng) + 4, y: height - 6 }, `${lng.toFixed(digits)}°`));
  }
  for (let lat = Math.ceil(box.south / step) * step; lat < box.north; lat += step) {
    lines.push(drawn("line", { class: "line", y1: y(lat), y2: y(lat), x1: 0, x2: width }),
      drawn("text", { class: "scale", x: 4, y: y(lat) - 4 }, `${lat.toFixed(digits)}°`));
  }
  $("grid").replaceChildren(...lines);
  $("extent").textContent = `${box.south.toFixed(3)}° to ${box.north.toFixed(3)}° north, ${box.west.toFixed(3)}° to ${box.east.toFixed(3)}° east.`;
}

function paint() {
  isWanted = false;
  if (!taxis.size) return;
  if (extent()) grid();
  const now = Date.now();
  let fresh = 0;
  for (const [name, taxi] of taxis) {
    const [lng, lat] = taxi.places.at(-1);
    taxi.dot.setAttribute("cx", x(lng));
    taxi.dot.setAttribute("cy", y(lat));
    // It does not come flying from a corner.
    if (!taxi.dot.isConnected) $("taxis").append(taxi.line, taxi.dot);
    const isOld = now - taxi.at > stale;
    if (!isOld) fresh += 1;
    taxi.dot.setAttribute("class", `taxi${isOld ? " old" : ""}${name === found ? " found" : ""}`);
    taxi.dot.setAttribute("r", name === found ? 12 : 7);
    taxi.line.setAttribute("points", taxi.places.map((place) => `${x(place[0]).toFixed(1)},${y(place[1]).toFixed(1)}`).join(" "));
  }
  say($("told"), `${taxis.size} taxis, ${fresh} heard of within a minute.`);
}

function apply(record) {
  const { driver, lat, lng } = record.event;
  if (typeof driver !== "string" || typeof lat !== "number" || typeof lng !== "number") return;
  let taxi = taxis.get(driver);
  if (!taxi) {
    if (taxis.size >= most) return;
    taxi = { places: [], at: 0, line: drawn("polyline", { class: "trail" }), dot: drawn("circle", { class: "taxi", r: 7 }, drawn("title", {}, driver)) };
    taxis.set(driver, taxi);
    $("drivers").append(element("option", { value: driver }));
  }
  const at = Date.parse(record.timestamp);
  // One that was overtaken tells nothing of where it is now.
  if (at < taxi.at) return;
  taxi.at = at;
  taxi.places.push([lng, lat]);
  if (taxi.places.length > trail) taxi.places.shift();
  if (!isWanted) {
    isWanted = true;
    setTimeout(paint, 200);
  }
}

$("point").addEventListener("submit", (submit) => {
  submit.preventDefault();
  found = $("driver").value.trim();
  const taxi = taxis.get(found);
  if (!taxi) say($("found"), found ? `${found} has not been heard of.` : "", true);
  else say($("found"), `${found} was at ${taxi.places.at(-1)[1].toFixed(5)}° north, ${taxi.places.at(-1)[0].toFixed(5)}° east at ${clock(taxi.at)}.`);
  paint();
});

follow("rides.locations", { from: "-200" }, apply);
setInterval(() => { if (!document.hidden) paint(); }, 5000);
