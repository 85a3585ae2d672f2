// API keys: made, rotated, revoked. A key itself is shown once.

import { AccountDialog } from "./accounts.js";
import * as api from "./api.js";
import { element } from "./dom.js";
import { ago, moment } from "./format.js";
import {
  actButton, choice, departmentBoxes, facts, field, namesOf, ticked,
} from "./side.js";
import { named, word } from "./words.js";

const DAY_S = 86_400;
const ROLES = [
  "reporter", "detector", "client", "viewer", "operator", "dispatcher", "crew", "admin",
];

/** The dialog that lists keys and makes new ones. */
export class KeyDialog extends AccountDialog {
  constructor(dialog) {
    super(dialog, "keys");
  }

  /** Fetches the list. */
  load() {
    return api.keys();
  }

  /** Title and text of the secret. */
  secretOf(made) {
    return [word("keyOf", { name: made.name }), made.key];
  }

  /** The form that makes one. */
  makeForm() {
    const name = element("input", { required: true, maxLength: 200, autocomplete: "off" });
    const role = choice(ROLES.map((each) => [each, named("role", each)]), "reporter");
    const life = choice(
      [["", word("never_ends")], ["30", word("days", { n: 30 })], ["90", word("days", { n: 90 })],
        ["365", word("days", { n: 365 })]],
      "",
    );
    const form = element(
      "form",
      { className: "panel make" },
      element("h3", {}, word("newKey")),
      field(word("keyName"), name),
      field(word("role"), role),
      field(word("ends"), life),
      departmentBoxes(this.departments, []),
      element("button", { type: "submit", className: "primary" }, word("makeKey")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make(form, name.value.trim(), role.value, life.value);
    });
    return form;
  }

  async #make(form, name, role, days) {
    await this.act(async () => {
      this.made = await api.makeKey({
        name,
        role,
        department_ids: ticked(form),
        expires_in_s: days ? Number(days) * DAY_S : null,
      });
      form.reset();
      return word("keyMade", { name });
    });
    this.toSecret();
  }

  /** What the list shows of one. */
  card(key) {
    const over = endOf(key);
    const buttons = over ? [] : this.#buttons(key);
    return element(
      "li",
      { className: "panel card", "data-key": key.name },
      element(
        "div",
        { className: "hook-head" },
        element("h3", {}, key.name),
        element("span", { className: `pill ${over ? "ended" : "valid"}` }, word(over ?? "valid")),
      ),
      facts([
        ["role", named("role", key.role)],
        ["departments", namesOf(key.department_ids, this.departments)],
        ["lastUsed", key.last_used_at ? ago(key.last_used_at) : word("never")],
        ["ends", key.expires_at ? moment(key.expires_at) : word("never_ends")],
        ["oldKeyUntil", isAhead(key.previous_until) ? moment(key.previous_until) : ""],
      ]),
      element("div", { className: "buttons" }, buttons),
    );
  }

  #buttons(key) {
    if (this.asked === key.name) {
      return [
        actButton(`yes ${key.name}`, word("reallyRevoke"), () => this.#revoke(key), "danger"),
        actButton(`no ${key.name}`, word("cancel"), () => this.ask(null, `revoke ${key.name}`)),
      ];
    }
    return [
      actButton(`rotate ${key.name}`, word("rotate"), () => this.#rotate(key)),
      actButton(`revoke ${key.name}`, word("revoke"), () =>
        this.ask(key.name, `no ${key.name}`), "danger"),
    ];
  }

  async #rotate(key) {
    await this.act(async () => {
      this.made = await api.rotateKey(key.name);
      return word("keyRotated", { name: key.name, time: moment(this.made.previous_until) });
    });
    this.toSecret();
  }

  #revoke(key) {
    this.asked = null;
    return this.act(async () => {
      await api.revokeKey(key.name);
      return word("keyRevoked", { name: key.name });
    });
  }
}

function endOf(key) {
  if (key.revoked_at) return "revoked";
  return key.expires_at && !isAhead(key.expires_at) ? "expired" : null;
}

function isAhead(time) {
  return Boolean(time) && Date.parse(time) > Date.now();
}
