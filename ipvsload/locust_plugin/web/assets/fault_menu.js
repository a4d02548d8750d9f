// What can be done to a server besides killing it: a menu of the faults that make a difference now.

import { makeElement } from "./format.js";

const FLAPPING = { down: 1, up: 1, times: 5 };

// [label, action without its server], for a server with these conditions.
function faults(conditions) {
  const frozen = conditions.includes("frozen"), vanished = conditions.includes("vanished");
  const slow = conditions.some((one) => one.startsWith("speed"));
  return [
    frozen ? ["Thaw", { do: "thaw" }] : ["Freeze", { do: "freeze" }],
    vanished ? ["Return", { do: "return" }] : ["Vanish", { do: "vanish" }],
    ...(vanished ? [] : [["Flap", { do: "flap", ...FLAPPING }]]),
    slow ? ["Usual speed", { do: "slow", speed: 1 }] : ["A tenth of the speed", { do: "slow", speed: 0.1 }],
    ["Restart", { do: "restart" }],
  ];
}

// A <select> that goes back to its title when something was chosen. `chosen` gets the action.
export class FaultMenu {
  constructor(chosen) {
    this.element = makeElement("select", { className: "faults", title: "Faults" });
    this.element.addEventListener("change", () => {
      const [, action] = this.choices[this.element.selectedIndex - 1];
      this.element.selectedIndex = 0;
      chosen(action);
    });
  }

  update(server, offers) {
    const name = `Faults of server ${server.number}`;
    if (this.element.ariaLabel !== name) this.element.ariaLabel = name;
    const reason = offers.freeze || "";
    if (this.element.disabled !== Boolean(reason)) Object.assign(this.element, { disabled: Boolean(reason), title: reason || "Faults" });
    const shown = server.conditions.join();
    // A menu that is open must not change under somebody's hand.
    if (this.shown === shown || document.activeElement === this.element && this.choices) return;
    this.shown = shown;
    this.choices = faults(server.conditions);
    this.element.replaceChildren(
      makeElement("option", { textContent: "Fault", hidden: true }), ...this.choices.map(([label]) => makeElement("option", { textContent: label })),
    );
  }
}
