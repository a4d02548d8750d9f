// Makes lines of points: the values of one server or class over time, which can be
// drawn and asked for the value at a time. NaN stands for a gap.

// With `bucket` (ms, 0 for none) the line has the highest value of each so many ms:
// a thousand points on four hundred pixels show no more than four hundred do.
export function lineOf(points, key, { stride, field, gap, bucket }) {
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

// How far apart two points may be and still be joined: where samples are missing,
// the line must not look as if they had been seen.
export function longestGap(points, least) {
  const n = points.length;
  return n < 3 ? least : Math.max(least, (3 * (points[n - 1].t - points[0].t)) / (n - 1));
}

// How many milliseconds `pixels` pixels are, as a power of two: it seldom changes,
// so lines do not flicker.
export const bucketWidth = (span, width, pixels) => 2 ** Math.ceil(Math.log2(Math.max(1, (span / width) * pixels)));

function step(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((n) => n * power >= rough * 0.999) * power;
}

// A scale from zero to a round number above `top`, and its grid lines.
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

// About so many times for an axis, at round distances.
export function times(left, right, about) {
  const rough = (right - left) / about;
  const each = [1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5, 864e5].find((n) => n >= rough) ?? rough;
  const found = [];
  for (let t = Math.ceil(left / each) * each; t <= right; t += each) found.push(t);
  return found;
}
