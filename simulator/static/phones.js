// Draws the phones, and asks twice a second what is new on them.
"use strict";

const EVERY_MS = 500;
const BANNER_MS = 4000;
const main = document.getElementById("phones");
const template = document.getElementById("phone");
const canStart = Boolean(document.body.dataset.canStart);

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

// -- what a phone can reply -------------------------------------------------------------------

function challenge(section) {
  const texts = [...section.querySelectorAll(".messages li:not(.mine)")].map((li) => li.textContent);
  return texts.reverse().find((text) => /\b\d{4,10}\b/.test(text)) ?? "";
}

function codeOf(section) {
  return challenge(section).match(/\b\d{4,10}\b/)?.[0] ?? "0000";
}

let wrongs = 0; // another one each time: the same wrong code again is no further attempt

const REPLIES = {
  right: codeOf,
  wrong: (section) => {
    wrongs = (wrongs % 9) + 1;
    return codeOf(section).replace(/\d$/, (digit) => (Number(digit) + wrongs) % 10);
  },
  spaced: (section) => [...codeOf(section)].join(" "),
  arabic: (section) => codeOf(section).replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit))),
  tapback: (section) => `Liked “${challenge(section)}”`,
  stop: () => "STOP",
};

async function send(section, body) {
  await post("/simulator/texts", { phone: section.dataset.phone, body });
  await draw();
}

async function start(section) {
  const button = section.querySelector(".verify");
  button.disabled = true;
  try {
    const { error } = await post("/simulator/starts", {
      phone: section.dataset.phone,
      locale: section.querySelector(".language input").value.trim(),
    });
    section.dataset.fault = error ?? "";
  } finally {
    button.disabled = false;
  }
  await draw();
}

// -- drawing ----------------------------------------------------------------------------------

function phoneSection(phone) {
  const known = main.querySelector(`[data-phone="${CSS.escape(phone)}"]`);
  if (known) return known;
  const section = template.content.cloneNode(true).firstElementChild;
  section.dataset.phone = phone;
  section.setAttribute("aria-label", `Phone ${phone}`);
  section.querySelector("h2").textContent = phone;
  section.querySelector(".messages").setAttribute("aria-label", `Messages of ${phone}`);
  section.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = event.target.elements.body;
    send(section, input.value);
    input.value = "";
  });
  for (const button of section.querySelectorAll("[data-reply]")) {
    button.addEventListener("click", () => send(section, REPLIES[button.dataset.reply](section)));
  }
  const verify = section.querySelector(".verify");
  verify.hidden = !canStart;
  section.querySelector(".language").hidden = !canStart;
  verify.addEventListener("click", () => start(section));
  main.append(section);
  return section;
}

function notify(section, text) {
  const banner = section.querySelector(".banner");
  banner.textContent = text;
  banner.hidden = false;
  clearTimeout(section.timer);
  section.timer = setTimeout(() => { banner.hidden = true; }, BANNER_MS);
  document.getElementById("news").textContent = `${section.dataset.phone} has a text: ${text}`;
}

function drawMessages(section, messages) {
  const list = section.querySelector(".messages");
  const isFirst = !section.dataset.drawn;
  // Another simulator than before: its phones begin anew.
  if (list.firstElementChild && list.firstElementChild.dataset.sid !== messages[0]?.sid) list.replaceChildren();
  for (const message of messages.slice(list.children.length)) {
    const line = document.createElement("li");
    line.dataset.sid = message.sid;
    line.textContent = message.body;
    line.dir = "auto"; // some languages run from right to left
    line.classList.toggle("mine", message.is_from_phone);
    list.append(line);
    list.scrollTop = list.scrollHeight;
    if (!message.is_from_phone && !isFirst) notify(section, message.body);
  }
  section.dataset.drawn = "yes";
}

function drawAnswers(section, answers) {
  if (!answers.length) return;
  const lines = answers.toReversed().map((answer) => {
    const line = document.createElement("li");
    line.textContent = `${answer.status || "nothing"}: ${answer.body || "(empty)"}`;
    return line;
  });
  section.querySelector(".answers").replaceChildren(...lines);
}

function standingText(verification) {
  if (!verification) return "";
  const { status, reference, attemptsLeft, deadline } = verification;
  if (status !== "pending") return `${status.replaceAll("_", " ")}, reference ${reference}`;
  const left = Math.max(0, Math.round((Date.parse(deadline) - Date.now()) / 1000));
  return `Reference ${reference}: ${left} s and ${attemptsLeft} tries left`;
}

function drawStanding(section, verification) {
  const line = section.querySelector(".standing");
  const text = section.dataset.fault || (verification?.status ? standingText(verification) : "");
  if (line.textContent !== text) line.textContent = text;
  const status = section.dataset.fault ? "refused" : verification?.status;
  line.classList.toggle("approved", status === "approved");
  line.classList.toggle("bad", Boolean(status) && !["approved", "pending"].includes(status));
}

async function draw() {
  const phones = await (await fetch("/simulator/phones")).json();
  for (const [phone, { messages, answers, verification }] of Object.entries(phones)) {
    const section = phoneSection(phone);
    drawMessages(section, messages);
    drawAnswers(section, answers);
    drawStanding(section, verification);
  }
}

async function drawFaults() {
  const faults = await (await fetch("/simulator/faults")).json();
  const words = Object.fromEntries([...faultForm.elements.kind.options].map((o) => [o.value, o.textContent]));
  const lines = faults.map((fault) => {
    const line = document.createElement("li");
    line.textContent = `${words[fault.kind] ?? fault.kind}${fault.code ? ` ${fault.code}` : ""}, ${fault.times} more`;
    return line;
  });
  if (!lines.length) lines.push(Object.assign(document.createElement("li"), { textContent: "Nothing." }));
  document.getElementById("faults").replaceChildren(...lines);
}

// What was received: an event once, however often it was tried.
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

async function drawReceived() {
  const { behaviour: present, events } = await (await fetch("/simulator/receiver")).json();
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

behaviour.addEventListener("change", () => post("/simulator/receiver", { behaviour: behaviour.value }));

// -- the forms --------------------------------------------------------------------------------

document.getElementById("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { error } = await post("/simulator/phones", { phone: event.target.elements.phone.value });
  document.getElementById("said").textContent = error ?? "";
  await draw();
});

const faultForm = document.getElementById("fault");

// Which of the two fields a kind of trouble needs.
function takes(kind) {
  return { seconds: kind === "delay", code: ["refuse", "report_error", "withhold"].includes(kind) };
}

faultForm.elements.kind.addEventListener("change", () => {
  const kind = faultForm.elements.kind.value;
  document.getElementById("seconds").hidden = !takes(kind).seconds;
  document.getElementById("code").hidden = !takes(kind).code;
  faultForm.elements.code.value = { withhold: "30038", report_error: "30005" }[kind] ?? "21614";
});

faultForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { kind, seconds, code, times } = faultForm.elements;
  const fault = { kind: kind.value, times: Number(times.value) };
  if (takes(kind.value).seconds) fault.seconds = Number(seconds.value);
  if (takes(kind.value).code) fault.code = Number(code.value);
  const { error } = await post("/simulator/faults", fault);
  document.getElementById("fault-said").textContent = error ?? "";
  await drawFaults();
});

document.getElementById("clear").addEventListener("click", async () => {
  await fetch("/simulator/faults", { method: "DELETE" });
  await drawFaults();
});

async function keepDrawing() {
  try {
    if (!document.hidden) {
      await draw();
      await drawFaults();
      await drawReceived();
    }
  } catch {
    // The simulator has ended, or begins again.
  }
  setTimeout(keepDrawing, EVERY_MS);
}

keepDrawing();
