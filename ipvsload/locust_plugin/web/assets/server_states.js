// What a real server is in: killed, frozen, drained ... A sign and a word each, because
// colour alone tells nothing to many people; and since when.

import { clock, makeElement } from "./format.js";

const SIGNS = { killed: "✕", frozen: "❄\uFE0E", vanished: "∅", speed: "◔", drained: "▽", removed: "−" };

export const sign = (state) => SIGNS[state.split(" ")[0]] ?? "!";

// In words: "killed since 1:02, speed 0.1 since 0:40"; "" for a server that is well.
export const stateWords = (server) => server.states.map(({ state, since }) => `${state} since ${clock(since)}`).join(", ");

// The same with signs, for an element whose text is one line.
export const stateLine = (server) => server.states.map(({ state, since }) => `${sign(state)} ${state} since ${clock(since)}`).join(", ");

// Elements of it; the signs are not read out.
export function stateMarks(server) {
  return server.states.map(({ state, since }) => makeElement("span", { className: "state-mark" },
    makeElement("i", { textContent: sign(state), ariaHidden: "true" }), ` ${state} since ${clock(since)}`));
}

// Replaces an element's content by the marks, when they are others.
export function showStates(element, server) {
  const told = stateLine(server);
  if (element.dataset.told === told) return;
  element.dataset.told = told;
  element.hidden = !told;
  element.replaceChildren(...stateMarks(server));
}
