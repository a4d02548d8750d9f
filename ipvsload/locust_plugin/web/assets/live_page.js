// Puts the page together: each frame goes into the store, and the page shows the store.

import { ChartBoard } from "./chart_board.js";
import { PageControls } from "./page_controls.js";
import { clock, makeElement, setText } from "./format.js";
import { LoggedOut, Refused, poll } from "./polling.js";
import { RequestShares } from "./request_shares.js";
import { LiveStore } from "./live_store.js";

const STALE = 2500;
const at = (id) => document.getElementById(id);
const main = document.querySelector("main");
export const store = new LiveStore();
const board = new ChartBoard(at("board"), { when: at("when"), reading: at("reading") });
const shares = new RequestShares(at("shares"));
const controls = new PageControls(at("controls"), at("said"));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let seconds = 60, rest = 0, gone = false;

// The address says how much time is shown, so a reload and a bookmark keep it.
const radios = [...document.querySelectorAll("input[name=window]")];
function choose(value) {
  const radio = radios.find((one) => one.value === value);
  if (!radio) return;
  radio.checked = true;
  seconds = value === "all" ? value : Number(value);
  board.update(store, seconds);
}
for (const radio of radios) radio.addEventListener("change", () => { history.replaceState(null, "", `#${radio.value}`); choose(radio.value); });
addEventListener("hashchange", () => choose(location.hash.slice(1)));
choose(location.hash.slice(1));

function take(frame) {
  store.take(frame);
  state(frame);
  controls.update(store, frame);
  if (!frame.test) return;
  shares.update(store);
  marks();
  // Drawing takes a quarter of the time at most, however much there is to draw.
  const now = performance.now();
  if (now < rest || document.hidden) return;
  board.update(store, seconds);
  const after = performance.now();
  rest = after + Math.max(calm.matches ? 950 : 0, 3 * (after - now));
}

function state(frame) {
  const { test } = frame;
  main.classList.toggle("idle", !test);
  at("empty").hidden = Boolean(test);
  at("facts").hidden = !test;
  setText(at("trouble"), frame.trouble && `${frame.trouble[0].toUpperCase()}${frame.trouble.slice(1)}`);
  const silent = test && test.ended === null && !frame.trouble && frame.sampled !== null ? frame.now - Math.max(0, frame.sampled) : 0;
  const hidden = frame.hidden ? `${frame.hidden} more real servers stand in the table than can be shown.` : "";
  setText(at("stale"), silent > STALE ? `No sample of the kernel's table for ${Math.round(silent / 1000)} s.` : hidden);
  if (!test) { at("title").textContent = "IPVS"; document.title = "IPVS – ipvsload"; return; }
  const running = test.ended === null;
  const bad = /\b(not|failed|invalid)\b/i.test(test.verdict), good = !bad && /\bheld\b/i.test(test.verdict);
  setText(at("title"), test.title || "IPVS");
  setText(at("scheduler"), frame.scheduler || "not known");
  setText(at("service"), frame.service || "all");
  setText(at("elapsed"), clock(running ? frame.now : test.ended));
  setText(at("state"), running ? "running" : test.verdict || "ended");
  at("state").className = running ? "running" : good ? "good" : bad ? "bad" : "";
  const title = `${running ? "▶ " : ""}${test.title || "IPVS"} – ipvsload`;
  if (document.title !== title) document.title = title;
}

let told = "";
function marks() {
  const last = store.marks.at(-1);
  const wanted = `${store.epoch} ${last?.number} ${store.marks.length}`;
  if (wanted === told) return;
  told = wanted;
  at("marks-section").hidden = !last;
  at("marks").replaceChildren(...store.marks.toReversed().map(({ number, t, text }) =>
    makeElement("li", { value: number }, makeElement("b", { textContent: text }), " ", makeElement("span", { textContent: `at ${clock(t)}` }))));
}

// Asks for the table as text while it is in sight.
let inSight = true;
new IntersectionObserver(([entry]) => { inSight = entry.isIntersecting; }).observe(at("table-section"));
async function listing() {
  if (inSight && !document.hidden && !gone) {
    try {
      const response = await fetch("ipvs/table", { cache: "no-store", signal: AbortSignal.timeout(4000) });
      const plain = (response.headers.get("Content-Type") ?? "").startsWith("text/plain");
      if (response.ok && plain) {
        const text = await response.text();
        at("table-section").hidden = !text;
        if (at("table").textContent !== text) at("table").textContent = text;
      }
    } catch { /* the frames say so */ }
  }
  setTimeout(listing, 1000);
}

function lost(since, error) {
  gone = true;
  main.classList.add("lost");
  const time = since.toTimeString().slice(0, 8);
  if (error instanceof Refused) return setText(at("lost"), `Refused: ${error.message}.`);
  if (!(error instanceof LoggedOut)) return setText(at("lost"), `Locust does not answer since ${time}. What you see is from then.`);
  if (!at("lost").querySelector("a")) {
    at("lost").replaceChildren("You are not logged in any more. ", makeElement("a", { href: "login", textContent: "Log in again" }));
    at("lost").hidden = false;
  }
}

function found() {
  gone = false;
  main.classList.remove("lost");
  setText(at("lost"), "");
}

listing();
poll({ position: () => store, take, lost, found });
