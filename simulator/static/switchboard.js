// Orders misbehaviour, and shows what waits to happen.

import { attempt, post, read, remove } from "./asking.js";

const form = document.getElementById("fault");
const kind = form.elements.kind;
const words = Object.fromEntries([...kind.options].map((option) => [option.value, option.textContent]));

const say = (text) => { document.getElementById("fault-said").textContent = text; };

// Which of the two fields a kind of trouble needs.
function takes(name) {
  return { seconds: name === "delay", code: ["refuse", "report_error", "withhold"].includes(name) };
}

export async function drawFaults() {
  const faults = await read("/simulator/faults");
  const texts = faults.map((fault) => {
    return `${words[fault.kind] ?? fault.kind}${fault.code ? ` ${fault.code}` : ""}, ${fault.times} more`;
  });
  const lines = (texts.length ? texts : ["Nothing."]).map((text) => {
    return Object.assign(document.createElement("li"), { textContent: text });
  });
  document.getElementById("faults").replaceChildren(...lines);
}

kind.addEventListener("change", () => {
  document.getElementById("seconds").hidden = !takes(kind.value).seconds;
  document.getElementById("code").hidden = !takes(kind.value).code;
  form.elements.code.value = { withhold: "30038", report_error: "30005" }[kind.value] ?? "21614";
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { seconds, code, times } = form.elements;
  const fault = { kind: kind.value, times: Number(times.value) };
  if (takes(kind.value).seconds) fault.seconds = Number(seconds.value);
  if (takes(kind.value).code) fault.code = Number(code.value);
  attempt(async () => {
    await post("/simulator/faults", fault);
    await drawFaults();
  }, say);
});

document.getElementById("clear").addEventListener("click", () => attempt(async () => {
  await remove("/simulator/faults");
  await drawFaults();
}, say));
