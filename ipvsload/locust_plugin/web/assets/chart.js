// One chart: a canvas with lines over time, a second one above it for the chosen
// line, and a legend with values.

import { makeElement } from "./format.js";
import { valueAt } from "./chart_lines.js";
import { sign } from "./server_states.js";

export const PAD = 46;
const TOP = 7, BOTTOM = 5, END = 8;

// Fits a canvas to its box, clears it, and returns its context in CSS pixels.
export function clearedCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const dots = Math.min(2, devicePixelRatio || 1);
  const [w, h] = [Math.round(width * dots), Math.round(height * dots)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// Returns a function from a time to the pixel where it stands, for a canvas of this width.
export const timeToPixel = ({ left, right }, width) => (t) => PAD + ((t - left) / (right - left)) * (width - PAD - END);

export const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

export class Chart {
  constructor({ title, unit, note, format, steps }) {
    this.format = format;
    this.steps = steps ?? false;
    this.canvas = makeElement("canvas", { className: "lines" });
    this.canvas.setAttribute("role", "img");
    this.title = title;
    this.over = makeElement("canvas", { className: "over" });
    this.cursor = makeElement("span", { className: "cursor", hidden: true });
    this.legend = makeElement("ul", { className: "legend" });
    this.plot = makeElement("div", { className: "plot" }, this.canvas, this.over, this.cursor);
    const heading = makeElement("h3", { textContent: `${title} ` }, makeElement("small", { textContent: unit }));
    this.figure = makeElement("figure", {}, makeElement("figcaption", {}, heading, this.legend), this.plot);
    if (note) this.figure.append(makeElement("p", { className: "note", textContent: note }));
    this.lines = [];
    this.entries = new Map();
  }

  // `lines` in the order of drawing: {id, name, colour, width, alpha, dash, t, v};
  // `half` is half the length of a step, in ms.
  draw(view, lines, scale, half) {
    Object.assign(this, { view, lines, scale, half });
    const { context: c, width, height } = clearedCanvas(this.canvas);
    const { colours } = view;
    const x = (this.x = timeToPixel(view, width));
    const y = (this.y = (v) => height - BOTTOM - scale.place(v) * (height - TOP - BOTTOM));
    c.font = FONT;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const tick of scale.ticks) {
      c.fillStyle = colours.grid;
      c.fillRect(PAD, Math.round(y(tick)) - 0.5, width - PAD - END, 1);
      c.fillStyle = colours.ink1;
      c.fillText(this.format(tick), PAD - 7, y(tick));
    }
    c.save();
    c.beginPath();
    c.rect(PAD - 1, 0, width - PAD - END + 2, height);
    c.clip();
    c.strokeStyle = colours.step;
    c.lineWidth = 1;
    c.setLineDash([3, 3]);
    c.beginPath();
    for (const { t } of view.marks) { c.moveTo(Math.round(x(t)) + 0.5, 0); c.lineTo(Math.round(x(t)) + 0.5, height); }
    c.stroke();
    for (const line of lines) this.stroke(c, line, line.width, line.alpha);
    for (const line of lines) this.spells(c, line);
    c.restore();
  }

  // Where a server was killed, frozen or drained its line has a badge with the sign of
  // that, and where that ended a ring.
  spells(c, line) {
    const { left, right, colours } = this.view, height = c.canvas.clientHeight, radius = 8;
    const signs = (line.spells ?? []).flatMap(({ state, since, until }) => [[until, ""], [since, sign(state)]]);
    Object.assign(c, { globalAlpha: 1, lineWidth: 2, strokeStyle: line.colour, textAlign: "center", textBaseline: "middle", font: `600 ${FONT}` });
    c.setLineDash([]);
    let last = -Infinity;
    for (const [t, text] of signs.filter(([at]) => at !== null && at >= left && at <= right)) {
      const px = text ? Math.max(this.x(t), last + 2 * radius) : this.x(t);
      const py = Math.min(height - radius - 1, Math.max(radius + 1, this.y(valueAt(line, t, Infinity) ?? 0)));
      if (text) last = px;
      c.fillStyle = colours.card;
      c.beginPath();
      c.arc(px, py, text ? radius : 4, 0, 7);
      c.fill();
      c.stroke();
      c.fillStyle = colours.ink0;
      c.fillText(text, px, py + 0.5);
    }
  }

  stroke(c, line, width, alpha) {
    const { t, v } = line, { x, y, half } = this;
    c.strokeStyle = line.colour;
    c.lineWidth = width;
    c.globalAlpha = alpha;
    c.lineJoin = c.lineCap = "round";
    c.setLineDash(line.dash ?? []);
    c.beginPath();
    const alone = [];
    let up = true, from = 0;
    for (let i = 0; i < t.length; i += 1) {
      if (Number.isNaN(v[i])) { up = true; continue; }
      const px = x(t[i]), py = y(v[i]);
      if (this.steps) {
        const until = t[i] + half, next = Number.isNaN(v[i + 1] ?? NaN) ? until : (t[i] + t[i + 1]) / 2;
        if (up) c.moveTo(x(t[i] - half), py); else c.lineTo(from, py);
        c.lineTo((from = x(next)), py);
      } else if (up) {
        c.moveTo(px, py);
        if (i + 1 >= t.length || Number.isNaN(v[i + 1])) alone.push([px, py]);
      } else c.lineTo(px, py);
      up = false;
    }
    c.stroke();
    // A point without neighbours is drawn as a dot.
    c.fillStyle = line.colour;
    for (const [px, py] of alone) { c.beginPath(); c.arc(px, py, width / 2 + 1, 0, 7); c.fill(); }
    c.globalAlpha = 1;
  }

  // Shows the cursor at a time, and one line above all others, with its name.
  point(at, id) {
    const { context: c, width, height } = clearedCanvas(this.over);
    const shown = at !== null && this.x !== undefined;
    this.cursor.hidden = !shown;
    if (shown) this.cursor.style.left = `${this.x(at)}px`;
    const line = id === null || !this.x ? undefined : this.lines.find((one) => one.id === id);
    if (!line) return;
    const { colours } = this.view;
    c.save();
    c.beginPath();
    c.rect(PAD - 1, 0, width - PAD - END + 2, height);
    c.clip();
    // Among many lines it needs an outline to be seen.
    if (line.crowded) this.stroke(c, { ...line, colour: colours.card }, 6, 0.9);
    this.stroke(c, { ...line, colour: line.plain ? colours.ink0 : line.colour }, line.crowded ? 2.5 : 3.5, 1);
    c.restore();
    const value = this.value(line, at);
    if (value === null) return;
    const px = at === null ? width - END : this.x(at), py = this.y(value);
    c.fillStyle = colours.ink0;
    c.beginPath();
    c.arc(px, py, 3.5, 0, 7);
    c.fill();
    this.label(c, `${line.name}: ${this.format(value)}${line.state ? `, ${line.state}` : ""}`, px, py, width, height);
  }

  label(c, text, px, py, width, height) {
    const { colours } = this.view;
    c.font = `600 ${FONT}`;
    const wide = c.measureText(text).width + 12;
    const left = px + 8 + wide < width ? px + 8 : px - 8 - wide;
    const middle = Math.min(height - 11, Math.max(10, py));
    c.fillStyle = colours.ink0;
    c.beginPath();
    c.roundRect(left, middle - 9, wide, 18, 4);
    c.fill();
    c.fillStyle = colours.card;
    c.textAlign = "left";
    c.textBaseline = "middle";
    c.fillText(text, left + 6, middle + 0.5);
  }

  // A line's value at a time; without a time, its value now.
  value(line, at) {
    if (at === null) return line.t.length && line.t.at(-1) >= line.live ? line.v.at(-1) : null;
    return valueAt(line, at + this.half, line.gap + 2 * this.half);
  }

  // The line nearest to a pixel, if any is near.
  nearest(at, py) {
    let best = null, least = 26;
    for (const line of this.lines) {
      const value = this.value(line, at);
      if (value === null) continue;
      const far = Math.abs(this.y(value) - py);
      if (far <= least) { least = far; best = line.id; }
    }
    return best;
  }

  // Writes names and values; `more` is how many lines have no entry.
  tell(lines, at, more) {
    const wanted = lines.map(({ key }) => key).join() + more;
    if (wanted !== this.told) {
      this.told = wanted;
      this.entries.clear();
      this.legend.replaceChildren(...lines.map((line) => {
        const output = makeElement("output"), mark = makeElement("i"), name = makeElement("span"), state = makeElement("b", { className: "state-mark" });
        this.entries.set(line.key, { output, mark, name, state });
        return makeElement("li", {}, mark, name, " ", output, state);
      }), ...(more ? [makeElement("li", { textContent: `and ${more} more` })] : []));
    }
    const said = [];
    for (const line of lines) {
      const { output, mark, name, state } = this.entries.get(line.key);
      const value = this.format(this.value(line, at));
      const colour = line.plain ? this.view.colours.ink0 : line.colour;
      if (mark.style.color !== colour) mark.style.color = colour;
      mark.className = line.dash ? "dashed" : "";
      if (name.textContent !== line.name) name.textContent = line.name;
      if (output.textContent !== value) output.textContent = value;
      if (state.textContent !== (line.state ?? "")) state.textContent = line.state ?? "";
      said.push(`${line.name} ${value}${line.state ? `, ${line.state}` : ""}`);
    }
    const all = `${this.title}: ${said.join(", ") || "nothing yet"}`;
    if (this.canvas.ariaLabel !== all) this.canvas.ariaLabel = all;
    return all;
  }
}
