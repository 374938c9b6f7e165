// What the application received: an event once, however often it was tried.

import { attempt, post, read } from "./asking.js";

const received = document.getElementById("received");
const behaviour = document.getElementById("behaviour");

function newEvent(id) {
  const line = document.getElementById("event").content.cloneNode(true).firstElementChild;
  line.dataset.event = id;
  return line;
}

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A body with a wrong signature can be anything.
function parsed(body) {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}

function drawEvent(line, { body, tries, verified, accepted }) {
  const { type, data } = parsed(body);
  show(line.querySelector(".what"), `${type ?? "not JSON"}${data?.tag ? `, tag ${data.tag}` : ""}`);
  const how = line.querySelector(".how");
  const count = tries === 1 ? "1 try" : `${tries} tries`;
  show(how, `${count}, signature ${verified ? "right" : "wrong"}, ${accepted ? "accepted" : "not accepted"}`);
  how.classList.toggle("approved", accepted);
  how.classList.toggle("bad", !verified);
  show(line.querySelector("pre"), type ? JSON.stringify(parsed(body), null, 2) : body);
}

export async function drawReceived() {
  const { behaviour: present, events } = await read("/simulator/receiver");
  if (document.activeElement !== behaviour) behaviour.value = present;
  if (!events.length) return;
  const known = new Map([...received.children].map((line) => [line.dataset.event, line]));
  const lines = events.map((event) => known.get(event.id) ?? newEvent(event.id));
  lines.forEach((line, place) => drawEvent(line, events[place]));
  // Lines that stay are not moved: what is open or focused in them stays so.
  for (const line of received.children) if (!lines.includes(line)) line.remove();
  lines.forEach((line, place) => {
    if (received.children[place] !== line) received.insertBefore(line, received.children[place] ?? null);
  });
}

behaviour.addEventListener("change", () => attempt(
  () => post("/simulator/receiver", { behaviour: behaviour.value }),
  (text) => { document.getElementById("receiver-said").textContent = text; },
));
