// Bars that show each server's share: of all connections, and of each class of requests.

import { figure, colourNumbers, makeElement, percent, setText } from "./format.js";
import { sign, stateLine, stateWords } from "./server_states.js";
import { ShareTable } from "./share_table.js";

const EACH = 8, MOST = 60, BUSIEST = 3;

export class RequestShares {
  constructor(element) {
    this.element = element;
    this.bars = new Map();
    this.table = new ShareTable();
    this.drawn = -Infinity;
  }

  update(store) {
    const now = performance.now();
    // A thousand elements four times a second would make the page slow.
    if (now - this.drawn < (store.servers.size > MOST ? 1000 : 200)) return;
    this.drawn = now;
    const { test, head } = store;
    const wanted = [["connections", head.connections], ...test.classes.map((name, i) => [`${name} requests`, test.split[i] ?? [], test.failures[i] ?? [], test.retried[i] ?? 0])];
    for (const [name, flat, failures, retried] of wanted) this.bar(name, store, flat, failures, retried);
    const { foretold, figure: first } = this.bars.get("connections");
    const given = store.prediction && !store.prediction.why ? segments(store, [...store.prediction.mean].flat()) : [];
    foretold.hidden = !given.length;
    this.fill(foretold, given, "predicted: ");
    if (!this.table.element.isConnected) first.append(this.table.element);
    this.table.update(store);
    for (const [name, bar] of this.bars) {
      if (wanted.some(([other]) => other === name)) continue;
      bar.figure.remove();
      this.bars.delete(name);
    }
  }

  bar(name, store, flat, failures = [], retried = 0) {
    let bar = this.bars.get(name);
    if (!bar) {
      const strip = makeElement("div", { className: "bar" });
      strip.setAttribute("role", "img");
      const total = makeElement("span", { className: "sub" });
      const failed = makeElement("p", { className: "failed", hidden: true });
      const again = makeElement("p", { className: "again", hidden: true });
      const foretold = makeElement("div", { className: "bar foretold-bar", hidden: true });
      foretold.setAttribute("role", "img");
      bar = { strip, foretold, total, failed, again, figure: makeElement("figure", { className: "share" }, makeElement("figcaption", {}, makeElement("span", { textContent: name }), total), strip, foretold, failed, again), told: "" };
      this.bars.set(name, bar);
      this.element.append(bar.figure);
    }
    setText(bar.failed, failures.length ? `failed: ${failures.map(([kind, count]) => `${count} ${kind}`).join(", ")}` : "");
    setText(bar.again, retried ? `sent again on a new connection: ${retried}` : "");
    const unwell = [...store.servers.values()].filter((one) => one.states.length).map((one) => one.ident + stateLine(one));
    const told = `${store.epoch} ${flat.join()} ${unwell.join()}`;
    if (told === bar.told) return;
    bar.told = told;
    const parts = segments(store, flat);
    const total = parts.reduce((sum, part) => sum + part.count, 0);
    bar.total.textContent = total ? figure(total) : "none yet";
    this.fill(bar.strip, parts, "");
  }

  fill(strip, parts, before) {
    const total = parts.reduce((sum, part) => sum + part.count, 0);
    strip.classList.toggle("many", parts.length > EACH);
    strip.ariaLabel = before + (parts.map((part) => `${part.label} ${percent(part.count, total)}`).join(", ") || "none yet");
    strip.replaceChildren(...parts.map((part) => {
      const share = (part.count / total) * 100;
      const segment = makeElement("span", { className: share < 12 ? "seg slim" : "seg", title: `${before}${part.label}: ${part.count}, ${percent(part.count, total)}` },
        makeElement("b", { textContent: percent(part.count, total) }), " ", makeElement("em", { textContent: part.short }));
      segment.classList.toggle("unwell", part.unwell);
      segment.style.width = `${share}%`;
      segment.style.setProperty("--k", `var(--${part.colour})`);
      segment.style.setProperty("--ink", `var(--${part.colour}i)`);
      return segment;
    }));
  }
}

// In the order of the servers' numbers. Of many servers only the busiest have a
// colour; of very many the least busy are drawn as one.
function segments(store, flat) {
  const found = [];
  let unknown = 0;
  for (let i = 0; i < flat.length; i += 2) {
    const server = store.servers.get(flat[i]);
    if (server) {
      const signs = server.states.map(({ state }) => ` ${sign(state)}`).join("");
      const label = `server ${server.number} (${[server.address, stateWords(server)].filter(Boolean).join(", ")})`;
      found.push({ number: server.number, count: flat[i + 1], label, short: `server ${server.number}${signs}`, unwell: Boolean(signs) });
    }
    else unknown += flat[i + 1];
  }
  const ranks = [...found].sort((a, b) => b.count - a.count);
  const many = found.length > EACH;
  const shown = new Set(ranks.slice(0, MOST)), coloured = colourNumbers(many ? ranks.slice(0, BUSIEST) : found, many);
  const parts = found.filter((part) => shown.has(part)).sort((a, b) => a.number - b.number);
  parts.forEach((part, i) => { part.colour = coloured.has(part) ? `s${coloured.get(part)}` : `m${i % 2}`; });
  const others = ranks.slice(MOST).reduce((sum, part) => sum + part.count, 0);
  if (others) parts.push({ count: others, label: `${ranks.length - MOST} others`, short: "others", colour: "m0" });
  if (unknown) parts.push({ count: unknown, label: "server not known", short: "not known", colour: "m1" });
  return parts.filter((part) => part.count);
}
