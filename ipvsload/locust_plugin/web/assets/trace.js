// Lines out of points: the values of one server or class over time, ready to be
// drawn and to be asked for their value at a time. A gap in them is a NaN.

// `bucket` (ms, or 0) draws the highest of so many ms together: a line of a
// thousand points over four hundred pixels says no more than one of four hundred.
export function trace(points, key, { stride, field, gap, bucket }) {
  const t = [], v = [];
  let layout = null, place = -1, before = -Infinity, sum = 0, top = 0;
  for (const point of points) {
    if (point.layout !== layout) {
      layout = point.layout;
      const at = layout.at.get(key);
      place = at === undefined ? -1 : 1 + at * stride + field;
    }
    if (place < 0) continue;
    const value = point.row[place];
    if (value === null) continue;
    sum += value;
    if (value > top) top = value;
    const when = bucket ? (Math.floor(point.t / bucket) + 0.5) * bucket : point.t;
    if (bucket && when === before) {
      const last = v.length - 1;
      if (value > v[last]) v[last] = value;
      continue;
    }
    if (when - before > gap && t.length) { t.push(when); v.push(NaN); }
    t.push(when);
    v.push(value);
    before = when;
  }
  return { t, v, sum, top };
}

// The value at a time: the last one before it, unless that is older than `gap`.
export function valueAt({ t, v }, at, gap) {
  let low = 0, high = t.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (t[middle] <= at) low = middle + 1; else high = middle;
  }
  const found = low - 1;
  return found < 0 || Number.isNaN(v[found]) || at - t[found] > gap ? null : v[found];
}

// How far apart points may be and still belong to one line: samples that are
// missing are not to look as if somebody had seen them.
export function spacing(points, least) {
  const n = points.length;
  return n < 3 ? least : Math.max(least, (3 * (points[n - 1].t - points[0].t)) / (n - 1));
}

// Milliseconds for `pixels` pixels, in powers of two: so it seldom changes, and
// what has been drawn does not flicker.
export const bucketOf = (span, width, pixels) => 2 ** Math.ceil(Math.log2(Math.max(1, (span / width) * pixels)));

function step(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((n) => n * power >= rough * 0.999) * power;
}

// Where zero and the top are, and the lines in between.
export function linear(top) {
  const each = top > 0 ? step(top / 3) : 1;
  const count = Math.max(1, Math.ceil(top / each - 1e-9));
  const high = each * count;
  return { high, ticks: Array.from({ length: count + 1 }, (_, i) => i * each), place: (v) => v / high };
}

export function logarithmic(low, high) {
  const from = Math.floor(Math.log10(low > 0 ? low : 1) + 1e-9);
  const to = Math.max(from + 1, Math.ceil(Math.log10(high > 0 ? high : 1) - 1e-9));
  const every = Math.ceil((to - from) / 4);
  const ticks = [];
  for (let power = from; power <= to; power += every) ticks.push(10 ** power);
  return { high: 10 ** to, ticks, place: (v) => Math.max(0, (Math.log10(Math.max(v, 1e-9)) - from) / (to - from)) };
}

// Times for an axis, about so many, at round distances.
export function times(left, right, about) {
  const rough = (right - left) / about;
  const each = [1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5, 864e5].find((n) => n >= rough) ?? rough;
  const found = [];
  for (let t = Math.ceil(left / each) * each; t <= right; t += each) found.push(t);
  return found;
}
