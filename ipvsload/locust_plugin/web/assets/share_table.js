// Each server's share of the connections: measured, and what the model of the scheduler gives it.

import { colourNumbers, makeElement, setText } from "./format.js";
import { showStates } from "./server_states.js";

const MOST = 60, COLOURED = 8;
const NOTHING = "–";

export class ShareTable {
  constructor() {
    this.rows = new Map();
    this.head = makeElement("tr", {}, ...["Server", "Weight", "Measured", "Predicted", "Difference"].map((text) => {
      const cell = makeElement("th", { textContent: text });
      cell.scope = "col";
      return cell;
    }));
    this.body = makeElement("tbody");
    this.table = makeElement("table", {}, makeElement("caption", { className: "spoken", textContent: "Share of the connections of each real server" }), makeElement("thead", {}, this.head), this.body);
    this.why = makeElement("p", { className: "foretold" });
    this.box = makeElement("div", { className: "share-table" }, this.table);
    this.box.tabIndex = 0;
    this.box.role = "region";
    this.box.ariaLabel = "Shares, measured and predicted";
    this.more = makeElement("p", { className: "foretold", hidden: true });
    this.element = makeElement("div", {}, this.box, this.more, this.why);
  }

  update(store) {
    const measured = store.connections, foretold = store.prediction;
    const known = [...store.servers.values()].filter((one) => one.weight !== null || measured.get(one.ident) || one.states.length).sort((a, b) => a.number - b.number);
    this.box.hidden = !known.length;
    const none = !foretold || Boolean(foretold.why);
    this.table.classList.toggle("unforetold", none);
    setText(this.why, words(store, none));
    const sum = (one) => [...one.values()].reduce((a, b) => a + b, 0);
    const all = sum(measured), given = none ? 0 : sum(foretold.mean);
    const shown = known.slice(0, MOST), hues = colourNumbers(known.length > COLOURED ? [] : known, false);
    setText(this.more, known.length > MOST ? `and ${known.length - MOST} more` : "");
    const wanted = shown.map(({ ident }) => ident).join();
    if (wanted !== this.wanted) {
      this.wanted = wanted;
      this.rows = new Map(shown.map(({ ident }) => [ident, this.rows.get(ident) ?? row()]));
      this.body.replaceChildren(...[...this.rows.values()].map(({ item }) => item));
    }
    for (const server of shown) {
      const { swatch, name, states, cells } = this.rows.get(server.ident);
      const hue = hues.get(server);
      swatch.style.setProperty("--k", hue === undefined ? "var(--muted)" : `var(--s${hue})`);
      if (name.textContent !== `server ${server.number}`) name.textContent = `server ${server.number}`;
      showStates(states, server);
      const share = all ? (measured.get(server.ident) ?? 0) / all : null;
      const [mean, least, most] = foretold?.servers.get(server.ident) ?? [0, 0, 0];
      const texts = [server.weight ?? NOTHING, tenths(share), given ? spread(mean, least, most, given) : NOTHING, difference(share, given ? mean / given : null)];
      texts.forEach((text, i) => { if (cells[i].textContent !== String(text)) cells[i].textContent = text; });
      cells[1].title = `${measured.get(server.ident) ?? 0} connections`;
      cells[2].title = given ? `${mean} connections` : "";
    }
  }
}

function row() {
  const swatch = makeElement("i", { className: "swatch" }), name = makeElement("b"), states = makeElement("span", { className: "states", hidden: true });
  const head = makeElement("th", {}, swatch, name, states);
  head.scope = "row";
  const cells = Array.from({ length: 4 }, () => makeElement("td"));
  return { swatch, name, states, cells, item: makeElement("tr", {}, head, ...cells) };
}

function words({ prediction: foretold, head }, none) {
  if (!foretold || !none && !foretold.servers.size) return "";
  if (none) return `No prediction: ${foretold.why}.`;
  const chance = foretold.draws > 1 ? `: the mean of ${foretold.draws} draws by chance, with the least and the greatest of them`
    : foretold.draws ? "" : ": it draws by chance, so this is the mean, and 19 of 20 times a share is between the two others";
  return `Predicted (the lower bar): what the model of ${head.scheduler} gives to each server by itself, for the same connections${chance}. Difference in percentage points. The kernel counts every 2 s.`;
}

const tenths = (share) => share === null ? NOTHING : `${(share * 100).toFixed(1)} %`;

function spread(mean, least, most, all) {
  if (least === most) return tenths(mean / all);
  // Below it, because the column is narrow.
  return `${tenths(mean / all)}\n${((least / all) * 100).toFixed(1)}–${((most / all) * 100).toFixed(1)}`;
}

function difference(share, foretold) {
  if (share === null || foretold === null) return NOTHING;
  const points = Math.round((share - foretold) * 1000) / 10;
  return points > 0 ? `+${points.toFixed(1)}` : points < 0 ? `−${(-points).toFixed(1)}` : "0.0";
}
