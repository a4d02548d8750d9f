// Keeps what the frames brought. A point is one row of values at a time: each
// reading of the last two minutes, and for the whole test columns, whose number the
// server bounds. So an open page does not grow.

const RECENT = 125_000;

class TimeSeries {
  constructor() {
    this.rows = [];
    this.columns = [];
    this.open = [];
    this.width = 250;
  }

  take(part, full) {
    if (full) { this.rows = []; this.columns = []; }
    read(part.columns, this.columns);
    read(part.rows, this.rows);
    this.open = read(part.open, []);
    this.width = part.width;
    const since = (this.rows.at(-1)?.t ?? 0) - RECENT;
    let old = 0;
    while (old < this.rows.length && this.rows[old].t < since) old += 1;
    // A splice moves everything that stays, so it is done now and then only.
    if (old > 100) this.rows.splice(0, old);
  }

  // Points from a time on, or those of the whole test.
  points(since, whole) {
    if (!whole) return this.rows.slice(Math.max(0, firstAfter(this.rows, since) - 1));
    const last = this.columns.at(-1), half = this.open.at(-1);
    const tail = firstAfter(this.rows, half ? half.t : last ? last.t + this.width / 2 : 0);
    return [...this.columns, ...this.open, ...this.rows.slice(tail)];
  }

  get empty() { return !this.rows.length && !this.columns.length; }
}

// Index of the first point that is not before a time.
export function firstAfter(points, t) {
  let low = 0, high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].t < t) low = middle + 1; else high = middle;
  }
  return low;
}

// Appends groups of [[keys], [[t, values...], ...]] to a list of points.
function read(groups, onto) {
  for (const [keys, rows] of groups) {
    let layout = onto.at(-1)?.layout;
    if (!layout || layout.keys.length !== keys.length || layout.keys.some((key, i) => key !== keys[i])) {
      layout = { keys, at: new Map(keys.map((key, i) => [key, i])) };
    }
    for (const row of rows) onto.push({ t: row[0], row, layout });
  }
  return onto;
}

// The times in which a server was in some state, and those that last.
function times(spells) {
  const found = spells.map(([state, since, until]) => ({ state, since, until }));
  return { spells: found, states: found.filter(({ until }) => until === null) };
}

function foretold({ why, draws, servers }) {
  return { why, draws, servers: new Map(servers.map(([ident, ...counts]) => [ident, counts])), mean: new Map(servers.map(([ident, mean]) => [ident, mean])) };
}

export class LiveStore {
  epoch = -1;
  stamp = -1;
  test = null;
  head = null;
  servers = new Map();
  prediction = null; // {why, draws, servers: by ident [mean, least, most], mean: by ident}
  marks = [];
  table = new TimeSeries();
  occupancy = new TimeSeries();
  newConnections = new TimeSeries();
  traffic = new TimeSeries();

  take(frame) {
    const { full } = frame;
    if (full) this.marks = [];
    if (full && frame.epoch !== this.epoch) this.servers = new Map();
    this.epoch = frame.epoch;
    this.stamp = frame.stamp;
    this.head = frame;
    this.test = frame.test;
    if (frame.servers) {
      this.servers = new Map(frame.servers.map(([ident, number, address, weight]) => [ident, { ident, number, address, weight, conditions: frame.conditions[ident] ?? [], ...times(frame.spells?.[ident] ?? []) }]));
    }
    if (full) this.prediction = null;
    if (frame.prediction) this.prediction = foretold(frame.prediction);
    const none = { width: 250, columns: [], open: [], rows: [] };
    this.table.take(frame.table ?? none, full);
    this.occupancy.take(frame.occupancy ?? none, full);
    this.newConnections.take(frame.new ?? none, full);
    this.traffic.take(frame.traffic ?? none, full);
    this.marks.push(...frame.marks.map(([number, t, text]) => ({ number, t, text })));
    if (this.marks.length > 300) this.marks.splice(0, this.marks.length - 300);
  }

  // Connections since the test began, by ident.
  get connections() {
    const flat = this.head.connections, found = new Map();
    for (let i = 0; i < flat.length; i += 2) found.set(flat[i], flat[i + 1]);
    return found;
  }

  // The servers in the kernel's table now, in the order of their numbers.
  get present() {
    return [...this.servers.values()].filter((server) => server.weight !== null).sort((a, b) => a.number - b.number);
  }

  // The time until which there is anything to see.
  get until() {
    const { ended } = this.test;
    if (ended === null) return this.head.now;
    const last = this.table.rows.findLast((point) => point.layout.keys.length);
    return Math.max(ended, last?.t ?? 0);
  }
}
