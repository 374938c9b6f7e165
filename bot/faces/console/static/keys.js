// Keys for people who work in the console all day, and buttons that copy. Nothing depends on either.
// The keys can be turned off: speech input may press them, and fingers may reach them by mistake.
"use strict";

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
  rows[next]?.focus();
}

function search() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
}

function help() {
  document.getElementById("keys")?.showModal();
}

const KEYS = {
  "/": search,
  j: () => move(1),
  k: () => move(-1),
  "?": help,
};

const OFF = "textback-keys-off";
const doAct = document.querySelector("[data-keys-act]");
if (doAct) {
  doAct.checked = localStorage.getItem(OFF) === null;
  doAct.addEventListener("change", () => {
    if (doAct.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
}
for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", help);
}

document.addEventListener("keydown", (event) => {
  // Right after a dialog is closed, the focus is still inside it.
  const isShown = event.target.checkVisibility();
  const isTyped = isShown && event.target.closest("input, select, textarea, dialog");
  if (!doAct?.checked || isTyped || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

// A page writes to the clipboard over https and on this machine alone.
function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    said = "Not copied: the browser refused";
  }
  button.textContent = said;
  document.getElementById("said").textContent = said;
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

document.addEventListener("replaced", (event) => offerCopies(event.target));
offerCopies(document);
