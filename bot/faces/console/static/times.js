// Shows instants in the reader's own time, and how long ago they were. The page has them in UTC,
// which stays where the pointer rests on one.
"use strict";

const TIMES = (() => {
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const year = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  function ago(seconds) {
    const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) || UNITS[3];
    const count = Math.floor(Math.abs(seconds) / size);
    return seconds < 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
  }

  function local(instant, now) {
    if (instant.toDateString() === now.toDateString()) return clock.format(instant);
    const date = instant.getFullYear() === now.getFullYear() ? day : year;
    return `${date.format(instant)}, ${clock.format(instant)}`;
  }

  function put(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  // `now`: by the server's clock.
  function show(root, now) {
    for (const time of root.querySelectorAll("time[datetime]:not(.countdown)")) {
      const instant = new Date(time.dateTime);
      const isClock = time.classList.contains("clock");
      if (!time.title) {
        time.title = time.textContent;
        const shown = document.createElement("span");
        shown.className = "clocked";
        time.replaceChildren(shown);
        if (!isClock) {
          const since = document.createElement("span");
          since.className = "ago";
          time.append(" ", since);
        }
      }
      // A page may stay open past midnight: then a time of yesterday has its date.
      put(time.querySelector(".clocked"), isClock ? clock.format(instant) : local(instant, now));
      put(time.querySelector(".ago"), ago((now - instant) / 1000));
    }
  }

  return { show, clock };
})();
