// What the quick replies of a phone send. A reply without a text to refer to is null: its button
// waits for one.

const CODE = /(?<!\d)\d{4,10}(?!\d)/;
const code = (text) => text?.match(CODE)?.[0];

// The newest text with a code, and the newest other code before it: a text sent again has the same.
function refer(codeTexts) {
  const text = codeTexts.findLast((one) => code(one));
  const old = codeTexts.findLast((one) => code(one) && code(one) !== code(text));
  return { text, right: code(text), old: code(old) };
}

const spaced = (digits) => [...digits].join(" ");
const arabic = (digits) => digits.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)));
// Another one each time: the same wrong code again is no further attempt.
const wrong = (digits, count) => digits.replace(/\d$/, (digit) => (Number(digit) + 1 + (count % 9)) % 10);

const REPLIES = {
  right: ({ right }) => right,
  spaced: ({ right }) => right && spaced(right),
  arabic: ({ right }) => right && arabic(right),
  sentence: ({ right }) => right && `My code is ${right}, thank you.`,
  wrong: ({ right, wrongs }) => right && wrong(right, wrongs),
  old: ({ old }) => old,
  tapback: ({ text }) => text && `Liked “${text}”`,
  stop: () => "STOP",
  start: () => "START",
  no: () => "NO",
  help: () => "HELP",
};

// `codeTexts`: what Textback has sent to the phone, oldest first; `wrongs`: how many wrong codes it
// has replied with.
export function replyOf(name, codeTexts, wrongs) {
  return REPLIES[name]({ ...refer(codeTexts), wrongs }) ?? null;
}
