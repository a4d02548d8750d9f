// What all charts share: marks for steps and changes above them, the time below.

import { FONT, PAD, timeToPixel, clearedCanvas } from "./chart.js";
import { clock, makeElement } from "./format.js";
import { times } from "./chart_lines.js";

const END = 8;

export class TimelineMarks {
  canvas = makeElement("canvas", { className: "timeline-marks", ariaHidden: "true" });

  draw(view) {
    const { context: c, width } = clearedCanvas(this.canvas);
    const { marks, colours } = view;
    const x = timeToPixel(view, width);
    c.textBaseline = "middle";
    // Marks that would overlap are one badge; the list below the charts has all texts.
    const badges = [];
    for (const mark of marks) {
      const last = badges.at(-1), middle = x(mark.t);
      if (last && middle - last.middle < 22 + 6 * (last.first !== last.last)) Object.assign(last, { last: mark.number, text: "" });
      else badges.push({ first: mark.number, last: mark.number, text: mark.text, middle });
    }
    badges.forEach(({ first, last, text, middle }, i) => {
      const name = first === last ? String(first) : `${first}–${last}`;
      c.font = `600 ${FONT}`;
      const half = Math.max(8, c.measureText(name).width / 2 + 4);
      c.fillStyle = colours.step;
      c.beginPath();
      c.roundRect(middle - half, 3, 2 * half, 16, 8);
      c.fill();
      c.fillStyle = colours.card;
      c.textAlign = "center";
      c.fillText(name, middle, 11.5);
      const until = i + 1 < badges.length ? badges[i + 1].middle - 14 : width - END;
      c.font = FONT;
      c.fillStyle = colours.ink1;
      c.textAlign = "left";
      c.fillText(shortened(c, text, until - middle - half - 6), middle + half + 4, 11.5);
    });
  }
}

// As much of a text as there is room for, or nothing if that is too little.
function shortened(c, text, room) {
  if (c.measureText(text).width <= room) return text;
  let n = Math.min(text.length, Math.floor(room / 5));
  while (n > 5 && c.measureText(`${text.slice(0, n)}…`).width > room) n -= 1;
  return n > 5 ? `${text.slice(0, n)}…` : "";
}

export class TimeAxis {
  canvas = makeElement("canvas", { className: "axis", ariaHidden: "true" });

  draw(view) {
    const { context: c, width } = clearedCanvas(this.canvas);
    const x = timeToPixel(view, width);
    c.font = FONT;
    c.fillStyle = view.colours.ink1;
    c.textBaseline = "top";
    for (const t of times(view.left, view.right, Math.max(2, (width - PAD) / 90))) {
      const middle = x(t), half = c.measureText(clock(t)).width / 2;
      c.textAlign = middle - half < PAD ? "left" : middle + half > width - END ? "right" : "center";
      c.fillText(clock(t), middle, 3);
    }
  }
}

// The colours of the style sheet, for the light or dark scheme that is on.
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink0: of("ink0"), ink1: of("ink1"), card: of("card"), grid: of("grid"), step: of("step"), muted: of("muted"), bad: of("bad"),
    servers: Array.from({ length: 8 }, (_, i) => of(`s${i}`)),
    classes: Array.from({ length: 6 }, (_, i) => of(`c${i}`)),
  };
}
