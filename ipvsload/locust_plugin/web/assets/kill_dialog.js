// Asks before a server is killed: its connections are lost, whatever is done then.

import { makeElement } from "./format.js";

// Resolves to whether somebody pressed Kill. Escape, and Enter at once, keep the server.
export function confirmKill(number, address) {
  return new Promise((answer) => {
    const keep = makeElement("button", { type: "button", textContent: "Keep it", autofocus: true });
    const kill = makeElement("button", { type: "button", className: "kill", textContent: `Kill server ${number}` });
    const title = makeElement("h2", { id: "kill-title", textContent: `Kill server ${number}?` });
    const text = makeElement("p", { id: "kill-text", textContent: `The process of ${address} ends, as in a crash, until it is restarted. `
      + "Its entry stays in the kernel's table: connections that it is given are refused." });
    const dialog = makeElement("dialog", {}, title, text, makeElement("p", { className: "choice" }, keep, kill));
    keep.addEventListener("click", () => dialog.close());
    kill.addEventListener("click", () => dialog.close("kill"));
    dialog.setAttribute("aria-labelledby", title.id);
    dialog.setAttribute("aria-describedby", text.id);
    dialog.addEventListener("close", () => { dialog.remove(); answer(dialog.returnValue === "kill"); });
    document.querySelector("main").append(dialog);
    dialog.showModal();
  });
}
