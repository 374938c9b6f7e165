// Draws the phones, and asks twice a second what is new on them.
"use strict";

const main = document.getElementById("phones");
const template = document.getElementById("phone");

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

async function send(section, phone, body) {
  const answer = await post("/desk/texts", { phone, body });
  section.querySelector(".answer").textContent = `The webhook answered ${answer.status || "nothing"}`;
  await draw();
}

function phoneSection(phone) {
  const known = main.querySelector(`[data-phone="${CSS.escape(phone)}"]`);
  if (known) return known;
  const section = template.content.cloneNode(true).firstElementChild;
  section.dataset.phone = phone;
  section.querySelector("h2").textContent = phone;
  section.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = event.target.elements.body;
    send(section, phone, input.value);
    input.value = "";
  });
  section.querySelector(".stop").addEventListener("click", () => send(section, phone, "STOP"));
  main.append(section);
  return section;
}

async function draw() {
  const phones = await (await fetch("/desk/phones")).json();
  document.getElementById("none").hidden = Object.keys(phones).length > 0;
  for (const [phone, messages] of Object.entries(phones)) {
    const list = phoneSection(phone).querySelector(".messages");
    for (const message of messages.slice(list.children.length)) {
      const line = document.createElement("li");
      line.textContent = message.body;
      line.classList.toggle("mine", message.is_from_phone);
      list.append(line);
      line.scrollIntoView({ block: "nearest" });
    }
  }
}

async function drawFaults() {
  const faults = await (await fetch("/desk/faults")).json();
  document.getElementById("faults").replaceChildren(
    ...faults.map((fault) => {
      const line = document.createElement("li");
      line.textContent = `${fault.kind}, ${fault.times} more`;
      return line;
    }),
  );
}

document.getElementById("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  await post("/desk/phones", { phone: event.target.elements.phone.value });
  await draw();
});

const faultForm = document.getElementById("fault");

// Which of the two fields a kind of trouble needs.
function takes(kind) {
  return { seconds: kind === "delay", code: kind === "refuse" || kind === "report_error" };
}

faultForm.elements.kind.addEventListener("change", () => {
  const needs = takes(faultForm.elements.kind.value);
  document.getElementById("seconds").hidden = !needs.seconds;
  document.getElementById("code").hidden = !needs.code;
});

faultForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { kind, seconds, code, times } = faultForm.elements;
  const fault = { kind: kind.value, times: Number(times.value) };
  if (takes(kind.value).seconds) fault.seconds = Number(seconds.value);
  if (takes(kind.value).code) fault.code = Number(code.value);
  await post("/desk/faults", fault);
  await drawFaults();
});

document.getElementById("clear").addEventListener("click", async () => {
  await fetch("/desk/faults", { method: "DELETE" });
  await drawFaults();
});

setInterval(draw, 500);
draw();
drawFaults();
