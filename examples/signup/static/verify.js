"use strict";
// Follows one verification by its read link, straight at Textback: that link can do nothing else.

const page = document.getElementById("verify");
const part = (id) => document.getElementById(id);
const POLL_MS = 1500;
const SLOWEST_POLL_MS = 12000;
const PATIENCE_MS = 8000; // for an answer
const RESEND_UNTIL_SECONDS = 30; // with less time left, Textback sends no code again
// What a person can do something about, by the status's errorCode; its `error` is for operators.
const REASONS = {
  30003: "The phone is off or out of reach.",
  30004: "The phone or its network blocks our texts.",
  30005: "This number is not in use.",
  30006: "This number cannot receive texts. It may be a landline.",
};

// The server's clock counts: that of a browser can be minutes off.
const ahead = Number(page.dataset.now) * 1000 - Date.now();
const now = () => Date.now() + ahead;
const resendAt = now() + Number(page.dataset.resendIn) * 1000;

let deadline = null; // none before the text is with the network
let total = 0;
let failures = 0;
let timer = 0;
let isAsking = false;

async function poll() {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    const response = await fetch(page.dataset.statusLink, {
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout?.(PATIENCE_MS), // a phone that changes networks gets no answer
    });
    if (response.status === 401 || response.status === 404) return say("This verification is no longer there. Start again below.", true);
    if (!response.ok) throw new Error(String(response.status));
    failures = 0;
    const { runtimeStatus, customStatus } = await response.json();
    if (customStatus.status !== "pending") return end(customStatus);
    show(runtimeStatus, customStatus);
  } catch {
    failures += 1;
    if (failures > 2) say("We cannot reach the service at the moment. Your reply is not lost.", true);
  } finally {
    isAsking = false;
  }
  timer = setTimeout(poll, Math.min(POLL_MS * 2 ** failures, SLOWEST_POLL_MS));
}

function show(runtimeStatus, { attemptsUsed, attemptsLeft, deadline: until, delivery, errorCode }) {
  if (runtimeStatus !== "Pending") {
    deadline = Date.parse(until);
    total = Math.max(total, deadline - now());
  }
  part("tries").textContent = attemptsLeft;
  if (attemptsUsed > 0) say(`That was not the code in the text. Tries left: ${attemptsLeft}.`, true);
  else say(progress(runtimeStatus, delivery, errorCode), isLost(delivery));
  const reason = isLost(delivery) ? (REASONS[errorCode] ?? "Check the number.") : "";
  if (reason && part("error").hidden) part("trouble").open = true; // once: the person may close it
  part("error").hidden = !reason;
  part("error").textContent = reason;
  tick();
}

const isLost = (delivery) => delivery === "undelivered" || delivery === "failed";

function progress(runtimeStatus, delivery, errorCode) {
  if (isLost(delivery)) return "The network says that the text did not arrive.";
  if (runtimeStatus === "Pending" && errorCode) return "Your text is taking longer than usual.";
  if (runtimeStatus === "Pending") return "Your text is being sent.";
  if (delivery === "delivered") return "Your text has arrived. Reply with its code.";
  return "Your text is on its way. Reply with its code.";
}

/** A screen reader hears what changes, and only then. */
function say(sentence, isBad) {
  const status = part("status");
  if (status.textContent !== sentence) status.textContent = sentence;
  status.classList.toggle("bad", Boolean(isBad));
}

function tick() {
  const seconds = deadline === null ? null : Math.max(0, Math.ceil((deadline - now()) / 1000));
  part("left").textContent = seconds === null ? "–" : clock(seconds);
  part("bar").hidden = seconds === null;
  if (total > 0) part("bar").value = Math.max(0, deadline - now()) / total;
  const wait = Math.ceil((resendAt - now()) / 1000);
  const resend = part("resend");
  resend.disabled = wait > 0 || seconds === null || seconds < RESEND_UNTIL_SECONDS;
  resend.textContent = wait > 0 ? `Send it again (in ${wait} s)` : "Send it again";
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The part for this status and cause, or else for this status. */
function end({ status, cause }) {
  clearInterval(ticking);
  const parts = [...document.querySelectorAll(`[data-status="${CSS.escape(status)}"]`)];
  const shown = parts.find((one) => one.dataset.cause === cause) ?? parts.find((one) => !one.dataset.cause);
  for (const notice of page.querySelectorAll(":scope > .notice")) notice.remove();
  part("pending").hidden = true;
  shown.hidden = false;
  const heading = shown.querySelector("h1");
  document.title = `${heading.textContent} – Juniper`;
  heading.focus();
}

// Who replies on the same phone comes back to this page: it should know at once.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !part("pending").hidden) poll();
});
const ticking = setInterval(tick, 250);
tick();
poll();
