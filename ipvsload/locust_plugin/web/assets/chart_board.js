// The charts one below the other on one time line, with one crosshair over all.

import { Chart } from "./chart.js";
import { clock, figure, colourNumbers, latency } from "./format.js";
import { stateLine } from "./server_states.js";
import { TimeAxis, TimelineMarks, palette } from "./timeline_marks.js";
import { bucketWidth, linear, logarithmic, longestGap, lineOf } from "./chart_lines.js";

const COLOURED = 8; // so many servers have a colour each
const BUSIEST = 3; // of more servers, only so many have one
const GROWING = [10_000, 20_000, 30_000, 60_000, 120_000];

export class ChartBoard {
  charts = {
    active: new Chart({ title: "ActiveConn", unit: "per real server", format: figure }),
    busy: new Chart({ title: "Busy workers", unit: "per real server", format: figure }),
    queue: new Chart({ title: "Queue", unit: "requests that wait, per real server", format: figure }),
    inactive: new Chart({ title: "InActConn", unit: "per real server", format: figure }),
    newConnections: new Chart({ title: "New connections", unit: "a second, per real server", format: figure, steps: true, note: "The kernel refreshes this count every 2 s only, so this line is as much behind." }),
    rate: new Chart({ title: "Requests", unit: "a second, per class", format: figure }),
    latency: new Chart({ title: "Latency", unit: "p50 and, dashed, p95", format: latency }),
    queueTime: new Chart({ title: "Of it in the queue", unit: "p50 and, dashed, p95", format: latency }),
  };
  timelineMarks = new TimelineMarks();
  axis = new TimeAxis();
  at = null; // where the crosshair is: 0 is the left edge of the window, 1 the right one
  now = 1; // where the present is, in the same way
  chosen = null; // a server's ident, or "class N"
  colours = palette();

  constructor(element, { when, reading }) {
    Object.assign(this, { element, when, reading });
    const all = Object.values(this.charts);
    element.append(this.timelineMarks.canvas, ...all.map((chart) => chart.figure), this.axis.canvas);
    for (const chart of all) this.listen(chart);
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("blur", () => this.move(null, null));
    new ResizeObserver(() => this.redraw()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.colours = palette(); this.redraw(); });
  }

  // `seconds` of the time line, or "all" of it.
  update(store, seconds) {
    Object.assign(this, { store, seconds });
    this.redraw();
  }

  redraw() {
    const { store, colours } = this;
    if (!store?.test || !this.element.clientWidth) return;
    const whole = this.seconds === "all";
    const right = Math.max(1000, store.until);
    const wanted = whole ? right : this.seconds * 1000;
    // A test that has just begun gets a shorter window, so that it fills it.
    const young = store.test.ended === null ? GROWING.find((span) => span >= right) : right;
    const span = Math.min(wanted, young ?? wanted);
    const left = whole ? 0 : Math.max(0, right - span);
    this.now = (right - left) / span;
    this.view = { left, right: left + span, marks: store.marks.filter(({ t }) => t >= left && t <= left + span), colours };
    this.timelineMarks.draw(this.view);
    this.axis.draw(this.view);
    this.width = this.element.clientWidth;
    this.servers("active", store.table, { stride: 2, field: 0 }, whole);
    // Only servers with a capacity say how busy they are.
    const told = !store.occupancy.empty;
    for (const name of ["busy", "queue"]) this.charts[name].figure.hidden = !told;
    if (told) {
      this.servers("busy", store.occupancy, { stride: 2, field: 0 }, whole);
      this.servers("queue", store.occupancy, { stride: 2, field: 1 }, whole);
    }
    this.servers("inactive", store.table, { stride: 2, field: 1 }, whole);
    this.servers("newConnections", store.newConnections, { stride: 1, field: 0 }, whole);
    this.classes(whole);
    this.show();
  }

  servers(name, series, { stride, field }, whole) {
    const points = series.points(this.view.left, whole);
    const keys = new Set();
    let layout = null;
    for (const point of points) {
      if (point.layout !== layout) for (const key of (layout = point.layout).keys) keys.add(key);
    }
    const gap = longestGap(points, 1500);
    const live = (points.at(-1)?.t ?? 0) - gap;
    const known = [...keys].map((key) => this.store.servers.get(key)).filter(Boolean).sort((a, b) => a.number - b.number);
    const many = known.length > COLOURED;
    const bucket = many && name !== "newConnections" ? bucketWidth(this.view.right - this.view.left, this.width, 2) : 0;
    const { colours } = this;
    const lines = known.map((server, i) => ({
      id: server.ident, key: server.ident, name: `server ${server.number}`, number: server.number, state: stateLine(server), spells: server.spells, gap, live, alpha: 1,
      // A fair split puts the lines on top of each other: the lower ones are wider,
      // so that their edges can be seen.
      width: 1.8 + Math.min(1.2, 3 / known.length) * (known.length - 1 - i),
      ...lineOf(points, server.ident, { stride, field, gap, bucket }),
    }));
    const thin = lines.length > 200 ? 0.25 : 0.5;
    if (many) for (const line of lines) Object.assign(line, { colour: colours.muted, width: 1, alpha: thin, plain: true, crowded: true });
    const busiest = many ? [...lines].sort((a, b) => b.sum - a.sum).slice(0, BUSIEST).filter((line) => line.sum > 0) : lines;
    for (const [line, hue] of colourNumbers(busiest, many)) {
      Object.assign(line, { colour: colours.servers[hue], plain: false }, many ? { width: 2, alpha: 1 } : {});
    }
    if (many) lines.sort((a, b) => b.plain - a.plain);
    const chart = this.charts[name];
    chart.named = busiest.sort((a, b) => a.number - b.number);
    const slot = whole ? series.width / 2 : 250;
    const top = lines.reduce((most, line) => Math.max(most, line.top), 0);
    chart.draw(this.view, lines, linear(top), name === "newConnections" ? slot : 0);
  }

  classes(whole) {
    const { store, view } = this;
    const points = store.traffic.points(view.left, whole);
    const gap = longestGap(points, 1500);
    const live = (points.at(-1)?.t ?? 0) - gap;
    const names = store.test.classes;
    const line = (i, field, more) => ({
      id: `class ${i}`, key: `${i}/${field}`, gap, live, width: 2, alpha: 1, colour: this.colours.classes[i % 6],
      name: names[i], ...lineOf(points, i, { stride: 6, field, gap: more?.gap ?? gap, bucket: 0 }), ...more,
    });
    const rates = names.map((_, i) => line(i, 0));
    const failed = names.map((name, i) => line(i, 1, { name: `${name} failed`, colour: this.colours.bad, dash: [5, 4] })).filter((one) => one.sum > 0);
    const rate = this.charts.rate;
    rate.named = [...rates, ...failed];
    rate.draw(view, rate.named, linear(Math.max(0, ...rates.map((one) => one.top))), 0);
    // Where few requests finish, the line goes on between them.
    const patient = { gap: Math.max(gap, 5000), live: -1 };
    const times = (chart, field) => {
      chart.named = names.flatMap((name, i) => [
        line(i, field, { ...patient, name: `${name} p50` }),
        line(i, field + 1, { ...patient, name: "p95", dash: [5, 4], width: 1.5 }),
      ]).filter((one) => one.t.length);
      return chart.named;
    };
    const { latency: latencies, queueTime } = this.charts;
    const both = times(latencies, 2);
    const values = both.flatMap((one) => one.v).filter((v) => v > 0);
    latencies.draw(view, both, logarithmic(values.reduce((a, b) => Math.min(a, b), 1e9), values.reduce((a, b) => Math.max(a, b), 0)), 0);
    // Not there where no server says how long requests wait; linear, since many wait for 0 ms.
    const queued = times(queueTime, 4);
    queueTime.figure.hidden = !queued.length;
    if (queued.length) queueTime.draw(view, queued, linear(Math.max(...queued.map((one) => one.top))), 0);
  }

  // Shows the crosshair, the chosen line, and all values.
  show() {
    if (!this.view) return;
    const { left, right, marks } = this.view;
    const at = this.at === null ? null : left + this.at * (right - left);
    const said = Object.values(this.charts).filter((chart) => !chart.figure.hidden).map((chart) => {
      chart.point(at, this.chosen);
      const chosen = chart.lines.filter((line) => line.id === this.chosen && !chart.named.includes(line));
      return chart.tell([...chosen, ...chart.named], at, Math.max(0, chart.lines.length - chart.named.length - chosen.length));
    });
    const near = at === null ? undefined : marks.findLast(({ t }) => Math.abs(t - at) < (right - left) * 0.012);
    this.when.textContent = at === null ? "" : `at ${clock(at)}.${Math.floor((at % 1000) / 100)}${near ? `: ${near.number} ${near.text}` : ""}`;
    return said;
  }

  move(at, chosen) {
    this.at = at === null ? null : Math.min(1, Math.max(0, at));
    this.chosen = chosen;
    return this.show();
  }

  listen(chart) {
    const follow = (event) => {
      if (!chart.x) return;
      const box = chart.plot.getBoundingClientRect();
      const { left, right } = this.view;
      const first = chart.x(left), last = chart.x(right);
      const at = Math.min(1, Math.max(0, (event.clientX - box.left - first) / (last - first)));
      this.move(at, chart.nearest(left + at * (right - left), event.clientY - box.top));
    };
    chart.plot.addEventListener("pointermove", follow);
    chart.plot.addEventListener("pointerdown", follow);
    chart.plot.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") this.move(null, null); });
  }

  key(event) {
    if (!this.view || event.altKey || event.ctrlKey || event.metaKey) return;
    const far = event.shiftKey ? 0.1 : 0.01;
    const sideways = { ArrowLeft: -far, ArrowRight: far, Home: -2, End: 2 }[event.key];
    const down = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape") return void this.move(null, null);
    if (!sideways && !down) return;
    event.preventDefault();
    const lines = [...this.charts.active.lines].sort((a, b) => a.number - b.number).map((line) => line.id);
    let chosen = this.chosen;
    if (down && lines.length) {
      const place = lines.indexOf(chosen);
      chosen = lines[(place < 0 ? (down > 0 ? 0 : lines.length - 1) : place + down + lines.length) % lines.length];
    }
    const said = this.move(Math.min(this.now, (this.at ?? this.now) + (sideways ?? 0)), chosen);
    clearTimeout(this.later);
    this.later = setTimeout(() => { this.reading.textContent = `${this.when.textContent}. ${said.join(". ")}`; }, 400);
  }
}
