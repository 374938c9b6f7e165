// Keeps an open page current: countdowns tick, and once a second the page is requested again with
// its version. If nothing has changed, the answer is empty; otherwise the parts marked data-live are replaced.
"use strict";

const EVERY_MS = 1000;
const PATIENCE_MS = 5000; // for an answer
const LEAVING_MS = 70000; // for the answer to a form: removing many rows may take a minute
let version = document.body.dataset.version;
// The server's clock decides; this one may be off.
let ahead = Date.parse(document.body.dataset.now) - Date.now();

function serverNow() {
  return new Date(Date.now() + ahead);
}

function tick() {
  TIMES.show(document, serverNow());
  if (offline.hidden) count();
}

function count() {
  for (const time of document.querySelectorAll("time.countdown")) {
    const left = Math.ceil((Date.parse(time.dateTime) - Date.now() - ahead) / 1000);
    const text = `${Math.max(0, left)} s left`;
    if (time.textContent !== text) time.textContent = text;
  }
}

// When the last answer came, by this browser's clock: the page shows the state of that moment.
let heardAt = new Date();
const offline = document.getElementById("offline");

function heard() {
  heardAt = new Date();
  offline.hidden = true;
  document.body.classList.remove("offline");
}

function lost() {
  if (!offline.hidden) return;
  offline.textContent = `Not connected since ${TIMES.clock.format(heardAt)}. This page may be out of date.`;
  offline.hidden = false;
  document.body.classList.add("offline");
}

// What the server last said of each part: the page itself differs, since its countdowns tick.
const said = new Map();
for (const part of document.querySelectorAll("[data-live]")) said.set(part.id, part.innerHTML);

function replace(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === said.get(part.id)) continue;
    said.set(part.id, next.innerHTML);
    const focus = part.contains(document.activeElement) ? mark(document.activeElement) : null;
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    part.replaceChildren(...document.importNode(next, true).childNodes);
    part.querySelectorAll("details").forEach((details, place) => { details.open = open[place] ?? false; });
    part.dispatchEvent(new CustomEvent("replaced", { bubbles: true }));
    if (focus) [...part.querySelectorAll("*")].find((e) => mark(e) === focus)?.focus({ preventScroll: true });
    part.classList.add("changed");
    part.addEventListener("animationend", () => part.classList.remove("changed"), { once: true });
  }
}

// What an element has in common with the one that takes its place.
function mark(element) {
  // A link is known by its address: times in its text go on.
  const isNamed = element.tagName === "DIV" || element.hasAttribute("href");
  const text = isNamed ? "" : element.textContent.trim().slice(0, 40);
  const name = element.getAttribute("aria-label");
  return [element.tagName, element.getAttribute("href"), element.className, name, text].join("|");
}

// A form that is sent leaves the page. What its answer removes is 404 before the answer has come, and a
// reload would take the answer's place.
let sentAt = -Infinity;
addEventListener("submit", () => { sentAt = Date.now(); });
const isLeaving = () => Date.now() - sentAt < LEAVING_MS;

async function look() {
  if (document.hidden || isLeaving()) return;
  const response = await fetch(document.body.dataset.from || location.href, {
    headers: { "X-Version": version },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  // A proxy answers 5xx when the server is down; Textback itself does when its database is down.
  if (response.status >= 500) return lost();
  heard();
  if (isLeaving()) return;
  // Signed out meanwhile, or what is shown is gone: the page itself says so.
  if (response.redirected || response.status === 404) return location.reload();
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  version = response.headers.get("X-Version");
  ahead = Date.parse(fresh.body.dataset.now) - Date.now();
  replace(fresh);
  tick();
}

async function keepLooking() {
  try {
    await look();
  } catch {
    lost(); // the next look may find it again
  }
  setTimeout(keepLooking, EVERY_MS);
}

tick();
setInterval(tick, 250);
if (version) setTimeout(keepLooking, EVERY_MS);
