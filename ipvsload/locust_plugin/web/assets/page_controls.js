// The forms that change something. A field shows what the kernel has until somebody
// edits it; then it keeps what they wrote until that is sent.

import { FaultMenu } from "./fault_menu.js";
import { makeElement, setText } from "./format.js";
import { confirmKill } from "./kill_dialog.js";
import { LoggedOut, ask } from "./polling.js";
import { showStates } from "./server_states.js";

// Scaling up starts processes, which takes time; the server's own limits are lower.
const PATIENCE = 60_000;

export class PageControls {
  constructor(element, said) {
    Object.assign(this, { element, said, rows: new Map(), mixed: new Map(), busy: 0 });
    this.list = element.querySelector("#servers");
    this.mix = element.querySelector("#mix");
    this.forms = Object.fromEntries([...element.querySelectorAll("form")].map((form) => [form.dataset.action, form]));
    // Nothing but a person ever changes a burst's fields.
    element.addEventListener("input", ({ target }) => { if (target.form !== this.forms.burst) target.dataset.edited = "yes"; });
    for (const form of Object.values(this.forms)) form.addEventListener("submit", (event) => this.submit(event));
    for (const button of element.querySelectorAll("[data-by]")) button.addEventListener("click", () => this.step(Number(button.dataset.by), button));
  }

  update(store, { offers, mix, scheduler }) {
    this.store = store;
    this.offer(offers);
    this.showUnlessEdited(this.forms.set_scheduler.scheduler, scheduler);
    this.showUnlessEdited(this.forms.scale.servers, String(store.present.length));
    this.servers(store.present, offers);
    this.classes(mix);
  }

  showUnlessEdited(field, value) {
    if (!field.dataset.edited && field.value !== value && document.activeElement !== field) field.value = value;
  }

  // A reason that all share is shown once.
  offer(offers) {
    const reasons = new Set(Object.values(offers));
    const common = reasons.size === 1 ? [...reasons][0] : "";
    setText(this.element.querySelector("#why"), common && sentence(common));
    const sets = [...Object.entries(this.forms).map(([key, form]) => [form.firstElementChild, offers[key]]),
      [this.list.closest("fieldset"), offers.reweigh && offers.kill]];
    for (const [set, reason] of sets) {
      if (set.disabled !== Boolean(reason)) set.disabled = Boolean(reason);
      if (set.title !== (reason ?? "")) set.title = reason ?? "";
      setText(set.querySelector(".why"), reason && !common ? sentence(reason) : "");
    }
  }

  servers(present, offers) {
    const wanted = present.map((server) => `${server.ident}/${server.number}`).join();
    if (wanted !== this.listed) {
      this.listed = wanted;
      const rows = new Map(present.map((server) => [server.ident, this.rows.get(server.ident) ?? this.row()]));
      this.rows = rows;
      this.list.replaceChildren(...[...rows.values()].map((row) => row.item));
    }
    for (const server of present) {
      const row = this.rows.get(server.ident);
      row.server = server;
      const name = `server ${server.number}`;
      if (row.name.textContent !== name) {
        row.name.textContent = name;
        row.item.style.setProperty("--k", `var(--s${(server.number - 1) % 8})`);
        row.weight.ariaLabel = `Weight of ${name}`;
        row.set.ariaLabel = `Set weight of ${name}`;
        row.kill.ariaLabel = `Kill ${name}`;
      }
      if (row.address.textContent !== server.address) row.address.textContent = server.address;
      const killed = server.conditions.includes("killed");
      row.item.classList.toggle("killed", killed);
      showStates(row.state, server);
      row.faults.update(server, offers);
      this.showUnlessEdited(row.weight, String(server.weight));
      for (const [button, reason] of [[row.set, offers.reweigh], [row.kill, offers.kill || (killed && "it was killed")]]) {
        if (button.disabled !== Boolean(reason)) Object.assign(button, { disabled: Boolean(reason), title: reason || "" });
      }
    }
  }

  row() {
    const row = {
      name: makeElement("b"), address: makeElement("span", { className: "sub" }), state: makeElement("strong", { className: "dead", hidden: true }),
      weight: makeElement("input", { type: "number", inputMode: "numeric", min: "0", max: this.list.dataset.most, required: true }),
      set: makeElement("button", { textContent: "Set" }), kill: makeElement("button", { type: "button", className: "kill", textContent: "Kill" }),
      faults: new FaultMenu((action) => this.send({ ...action, server: row.server.number }, row.faults.element)),
    };
    const form = makeElement("form", {}, makeElement("i"), makeElement("span", { className: "who" }, row.name, " ", row.address, " ", row.state), row.weight, row.set, row.kill, row.faults.element);
    row.item = makeElement("li", {}, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send({ do: "reweigh", server: row.server.number, weight: Number(row.weight.value) }, row.set, [row.weight]);
    });
    row.kill.addEventListener("click", async () => {
      const { number, address } = row.server;
      if (await confirmKill(number, address)) this.send({ do: "kill", server: number }, row.kill);
    });
    return row;
  }

  classes(mix) {
    const names = Object.keys(mix);
    this.forms.set_mix.hidden = !names.length;
    if (names.join("\n") !== [...this.mixed.keys()].join("\n")) {
      this.mixed = new Map(names.map((name) => [name, this.slider(name)]));
      this.mix.replaceChildren(...[...this.mixed.values()].map((one) => one.item));
    }
    for (const [name, { range, number }] of this.mixed) {
      const value = String(mix[name]);
      if (!number.dataset.edited && Number(range.max) < mix[name]) range.max = String(2 * mix[name]);
      this.showUnlessEdited(number, value);
      if (!number.dataset.edited && !range.dataset.edited) range.value = number.value;
    }
  }

  slider(name) {
    const range = makeElement("input", { type: "range", min: "0", max: "10", step: "1", ariaLabel: `Weight of ${name}, slider` });
    const number = makeElement("input", { type: "number", inputMode: "numeric", min: "0", max: "10000", required: true, ariaLabel: `Weight of ${name}` });
    range.addEventListener("input", () => { number.value = range.value; number.dataset.edited = "yes"; });
    number.addEventListener("input", () => { range.value = number.value; range.dataset.edited = "yes"; });
    return { range, number, item: makeElement("label", {}, makeElement("span", { textContent: name }), range, number) };
  }

  submit(event) {
    event.preventDefault();
    const form = event.target, key = form.dataset.action;
    const values = {
      set_scheduler: () => ({ scheduler: form.scheduler.value }),
      scale: () => ({ servers: Number(form.servers.value) }),
      burst: () => ({ requests: Number(form.requests.value), seconds: Number(form.seconds.value) }),
      set_mix: () => ({ weights: Object.fromEntries([...this.mixed].map(([name, { number }]) => [name, Number(number.value)])) }),
    };
    const fields = key === "burst" ? [] : [...form.querySelectorAll("input, select")];
    this.send({ do: key, ...values[key]() }, event.submitter ?? form.querySelector("button:not([type])"), fields);
  }

  step(by, button) {
    const field = this.forms.scale.servers;
    const servers = Math.min(Number(field.max), Math.max(1, this.store.present.length + by));
    if (servers === this.store.present.length) return this.tell(by < 0 ? "There is one server only" : "There is no room for more", true);
    return this.send({ do: "scale", servers }, button, [field]);
  }

  async send(action, button, fields = []) {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      const { ok, value } = await ask("ipvs/control", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(action), patience: PATIENCE,
      });
      if (ok) for (const field of fields) this.given(field);
      this.tell(ok ? `Done: ${value.done}` : `Refused: ${value.error}`, !ok);
    } catch (error) {
      this.tell(error instanceof LoggedOut ? "Refused: you are not logged in any more" : `Not done: Locust does not answer (${error.message})`, true);
    } finally {
      button.ariaBusy = null;
    }
  }

  // After sending, the field shows what the kernel has again, once a sample has come.
  given(field) {
    const { value } = field;
    setTimeout(() => { if (field.value === value) delete field.dataset.edited; }, 1200);
  }

  tell(text, bad) {
    clearTimeout(this.quiet);
    this.said.classList.toggle("bad", bad);
    // Cleared first, so that a screen reader says the same words again.
    this.said.textContent = "";
    requestAnimationFrame(() => { this.said.textContent = text; });
    this.quiet = setTimeout(() => { this.said.textContent = ""; }, bad ? 20_000 : 8000);
  }
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
