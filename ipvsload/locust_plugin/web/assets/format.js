// How numbers and times are written.

export function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function figure(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1e6) return `${short(value / 1e6)}M`;
  if (value >= 1e4) return `${short(value / 1e3)}k`;
  return short(value);
}

const short = (value) => String(value >= 100 ? Math.round(value) : Number(value.toPrecision(value < 10 ? 2 : 3)));

export function latency(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1000) return `${Number((value / 1000).toPrecision(3))} s`;
  return `${Number(value.toPrecision(value < 10 ? 2 : 3))} ms`;
}

export const percent = (part, whole) => `${whole ? Math.round((part / whole) * 100) : 0} %`;

// The number of each server's colour (--s0, --s1, ...). A few servers among many
// get different ones, and not the grey that all others are drawn in.
export function colourNumbers(servers, many) {
  const found = new Map(), used = new Set(), kinds = many ? 7 : 8;
  for (const server of [...servers].sort((a, b) => a.number - b.number)) {
    let hue = (server.number - 1) % kinds;
    while (many && used.has(hue)) hue = (hue + 1) % kinds;
    used.add(hue);
    found.set(server, hue);
  }
  return found;
}

// An element with text or children; what comes from outside is text, never markup.
export function makeElement(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}
