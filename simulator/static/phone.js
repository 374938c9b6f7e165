// One phone: its messages, its replies, and how its verification stands.

import { attempt, post } from "./asking.js";
import { replyOf } from "./replies.js";

const BANNER_MS = 4000;
const NO_ANSWER = "Nothing yet.";

export class Phone {
  // `changed`: called after something was done here, to draw what came of it.
  constructor(number, canStart, changed) {
    this.number = number;
    this.changed = changed;
    this.messages = [];
    this.wrongs = 0;
    this.isDrawn = false;
    this.section = document.getElementById("phone").content.cloneNode(true).firstElementChild;
    this.label();
    this.listen();
    for (const part of this.all(".verify, .language")) part.hidden = !canStart;
  }

  one(selector) { return this.section.querySelector(selector); }

  all(selector) { return this.section.querySelectorAll(selector); }

  label() {
    this.section.dataset.phone = this.number;
    this.section.setAttribute("aria-label", `Phone ${this.number}`);
    this.one("h2").textContent = this.number;
    this.one(".messages").setAttribute("aria-label", `Messages of ${this.number}`);
    this.one(".answers").setAttribute("aria-label", `What the webhook answered to ${this.number}`);
  }

  listen() {
    this.one("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendTyped(event.target.elements.body);
    });
    for (const button of this.all("[data-reply]")) {
      button.addEventListener("click", () => this.sendReply(button.dataset.reply));
    }
    this.one(".verify").addEventListener("click", () => this.start());
  }

  // -- what it does ---------------------------------------------------------------------------

  say(text, isFault = true) {
    const line = this.one(".said");
    line.classList.toggle("fault", isFault);
    line.textContent = text;
  }

  async send(body) {
    const isSent = await attempt(
      () => post("/simulator/texts", { phone: this.number, body }), (text) => this.say(text));
    await this.changed();
    return isSent;
  }

  // The field is empty at once, so that Enter twice sends once; what was not sent comes back.
  async sendTyped(field) {
    const body = field.value;
    field.value = "";
    if (!(await this.send(body)) && !field.value) field.value = body;
  }

  async sendReply(name) {
    const body = this.reply(name);
    if (body === null) return;
    if (name === "wrong") this.wrongs += 1;
    await this.send(body);
  }

  // Not disabled meanwhile, which would take the focus from it: it does nothing instead.
  async start() {
    if (this.isStarting) return;
    this.isStarting = true;
    const locale = this.one(".language input").value.trim();
    await attempt(() => post("/simulator/starts", { phone: this.number, locale }), (text) => this.say(text));
    this.isStarting = false;
    await this.changed();
  }

  // In view, with the focus; a text says why it is shown although nothing is new.
  show(text = "") {
    this.say(text, false);
    this.section.scrollIntoView({ block: "start" });
    this.section.focus({ preventScroll: true });
  }

  // -- how it looks ---------------------------------------------------------------------------

  reply(name) {
    const texts = this.messages.filter((message) => message.is_code).map((message) => message.body);
    return replyOf(name, texts, this.wrongs);
  }

  draw({ messages, answers, verification }, now) {
    this.drawMessages(messages);
    this.drawReplies();
    this.drawAnswers(answers);
    this.drawStanding(verification, now);
    this.isDrawn = true;
  }

  drawMessages(messages) {
    const list = this.one(".messages");
    // Another simulator than before: its phones begin anew.
    if (this.messages[0]?.sid !== messages[0]?.sid) list.replaceChildren();
    for (const message of messages.slice(list.children.length)) {
      const line = document.createElement("li");
      line.textContent = message.body;
      line.dir = "auto"; // some languages run from right to left
      line.classList.toggle("mine", message.is_from_phone);
      list.append(line);
      list.scrollTop = list.scrollHeight;
      if (!message.is_from_phone && this.isDrawn) this.notify(message.body);
    }
    this.messages = messages;
  }

  notify(text) {
    const banner = this.one(".banner");
    banner.textContent = text;
    banner.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { banner.hidden = true; }, BANNER_MS);
    document.getElementById("news").textContent = `${this.number} has a text: ${text}`;
  }

  // What a button would send is its description; one that has no code to send waits for a text.
  drawReplies() {
    for (const button of this.all("[data-reply]")) {
      const body = this.reply(button.dataset.reply);
      const title = body === null ? "There is no such code yet" : `Sends: ${body}`;
      if (button.title !== title) button.title = title;
      button.disabled = body === null;
    }
  }

  drawAnswers(answers) {
    const lines = answers.toReversed().map(({ status, body }) => `${status || "nothing"}: ${body || "(empty)"}`);
    const list = this.one(".answers");
    if (!lines.length) lines.push(NO_ANSWER);
    if ([...list.children].map((line) => line.textContent).join("\n") === lines.join("\n")) return;
    list.replaceChildren(...lines.map((text) => {
      return Object.assign(document.createElement("li"), { textContent: text, dir: "auto" });
    }));
  }

  // Without `now`, Textback does not answer: the last known status stays, and no countdown runs.
  drawStanding(verification, now) {
    if (now === null) return;
    const { id, status } = verification ?? {};
    // What was said of an earlier start is over when there is a later one.
    if (this.isDrawn && id !== this.verification) this.say("");
    this.verification = id;
    show(this.one(".state"), stateOf(verification));
    show(this.one(".countdown"), countdownOf(verification, now));
    this.one(".standing").classList.toggle("approved", status === "approved");
    this.one(".standing").classList.toggle("bad", Boolean(status) && !["approved", "pending"].includes(status));
  }
}

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function stateOf(verification) {
  if (!verification?.status) return "";
  const { status, runtimeStatus, reference, attemptsLeft, error } = verification;
  if (status !== "pending") {
    const word = status === "max_attempts_reached" ? "out of tries" : status;
    return `${word}, reference ${reference}${error ? `: ${error}` : ""}`;
  }
  if (runtimeStatus === "Pending") return `Reference ${reference}: waits to be sent`;
  const tries = attemptsLeft === 1 ? "1 try left" : `${attemptsLeft} tries left`;
  return `Reference ${reference}: ${runtimeStatus === "Suspended" ? "suspended, " : ""}${tries}`;
}

// Beside the state, not in it: a screen reader need not read every second aloud.
function countdownOf(verification, now) {
  if (verification?.status !== "pending" || verification.runtimeStatus === "Pending") return "";
  return `${Math.max(0, Math.ceil((Date.parse(verification.deadline) - now) / 1000))} s left`;
}
