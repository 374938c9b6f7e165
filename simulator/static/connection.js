// Says whether what the page shows is true now: the simulator may be gone, or Textback behind it.

const notice = document.getElementById("connection");
const news = document.getElementById("news");
let lost; // since when the simulator is

const ADVICE = {
  simulator: "Everything here is as of then. The page goes on by itself.",
  textback: "Statuses are as of then. The page goes on by itself.",
};

// Of the machine's clock: the page and the simulator run on the same one, or nearly.
const clock = (instant) => new Date(instant).toLocaleTimeString("en-GB");

// The text changes only when something does, so that it is read aloud once.
function tell(gone, since, why) {
  const text = gone ? `Not connected since ${clock(since)}. ${why} ${ADVICE[gone]}` : "";
  if (notice.textContent === text) return;
  if (!text) news.textContent = "Connected again.";
  notice.textContent = text;
  if (gone) document.body.dataset.gone = gone;
  else delete document.body.dataset.gone;
}

export function heard(trouble) {
  lost = undefined;
  if (trouble) tell("textback", trouble.since, trouble.sentence);
  else tell("");
}

// `began`: when the simulator was asked in vain.
export function unheard(began, why) {
  lost ??= { began, why };
  tell("simulator", lost.began, lost.why);
}
