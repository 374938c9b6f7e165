// Draws the phones, and asks twice a second what is new on them.

import { attempt, post, read, Unreachable } from "./asking.js";
import { heard, unheard } from "./connection.js";
import { Phone } from "./phone.js";
import { drawReceived } from "./received.js";
import { drawFaults } from "./switchboard.js";

const EVERY_MS = 500;
const main = document.getElementById("phones");
const more = document.getElementById("more");
const field = document.getElementById("add").elements.phone;
const canStart = Boolean(document.body.dataset.canStart);
const phones = new Map();

// -- drawing ----------------------------------------------------------------------------------

function phoneOf(number) {
  const known = phones.get(number);
  if (known) return known;
  const phone = new Phone(number, canStart, redraw);
  phones.set(number, phone);
  main.insertBefore(phone.section, more);
  suggest();
  return phone;
}

const EMPTY = { messages: [], answers: [], verification: null };
let asked = 0;
let drawn = 0;

async function draw() {
  const turn = ++asked;
  const told = await read("/simulator/phones");
  const { now, trouble } = await read("/simulator/textback");
  if (turn < drawn) return; // overtaken by a later one
  drawn = turn;
  heard(trouble);
  for (const number of Object.keys(told)) phoneOf(number);
  // A simulator that begins anew knows fewer phones than the page: they are empty.
  for (const [number, phone] of phones) {
    phone.draw(told[number] ?? EMPTY, trouble ? null : Date.parse(now));
  }
}

// Called after an action. If the simulator is gone, the next poll notices and reports it.
async function redraw() {
  try {
    await draw();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
  }
}

async function keepDrawing() {
  const began = Date.now();
  try {
    if (!document.hidden) {
      await draw();
      await drawFaults();
      await drawReceived();
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    unheard(began, error.message);
  } finally {
    setTimeout(keepDrawing, EVERY_MS);
  }
}

// -- adding phones ----------------------------------------------------------------------------

const said = document.getElementById("said");
let suggested = field.value;

// The next number that no phone here has; what a person is typing stays.
function suggest() {
  const wasSuggested = field.value === suggested;
  while (phones.has(suggested)) suggested = `+${Number(suggested.slice(1)) + 1}`;
  if (wasSuggested) field.value = suggested;
  document.getElementById("next").textContent = suggested;
}

async function add(number) {
  const isAdded = await attempt(async () => {
    const { phone, is_new: isNew } = await post("/simulator/phones", { phone: number });
    phoneOf(phone).show(isNew ? "" : "This phone was here already.");
  }, (text) => { said.textContent = text; });
  if (isAdded) field.value = suggested;
  await redraw();
}

document.getElementById("add").addEventListener("submit", (event) => {
  event.preventDefault();
  add(field.value);
});
more.addEventListener("click", () => add(suggested));

keepDrawing();
