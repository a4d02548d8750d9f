// What all charts share: the steps and changes above them, the time below.

import { FONT, PAD, across, paper } from "./chart.js";
import { clock, make } from "./format.js";
import { times } from "./trace.js";

const END = 8;

export class Rail {
  canvas = make("canvas", { className: "rail", ariaHidden: "true" });

  draw(view) {
    const { context: c, width } = paper(this.canvas);
    const { marks, colours } = view;
    const x = across(view, width);
    c.textBaseline = "middle";
    // What happened at almost one time is one badge; the list below has all texts.
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
      c.fillText(cut(c, text, until - middle - half - 6), middle + half + 4, 11.5);
    });
  }
}

// As much of a text as there is room for; nothing if that is too little.
function cut(c, text, room) {
  if (c.measureText(text).width <= room) return text;
  let n = Math.min(text.length, Math.floor(room / 5));
  while (n > 5 && c.measureText(`${text.slice(0, n)}…`).width > room) n -= 1;
  return n > 5 ? `${text.slice(0, n)}…` : "";
}

export class Axis {
  canvas = make("canvas", { className: "axis", ariaHidden: "true" });

  draw(view) {
    const { context: c, width } = paper(this.canvas);
    const x = across(view, width);
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

// The palette, as the style sheet has it for the present light.
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink0: of("ink0"), ink1: of("ink1"), card: of("card"), grid: of("grid"), step: of("step"), muted: of("muted"), bad: of("bad"),
    servers: Array.from({ length: 8 }, (_, i) => of(`s${i}`)),
    classes: Array.from({ length: 6 }, (_, i) => of(`c${i}`)),
  };
}
