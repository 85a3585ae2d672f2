// People who sign in: made, given another role or password, disabled.

import { AccountDialog } from "./accounts.js";
import * as api from "./api.js";
import { element } from "./dom.js";
import { ago, moment } from "./format.js";
import {
  actButton, choice, departmentBoxes, facts, field, namesOf, ticked,
} from "./side.js";
import { named, word } from "./words.js";

const ROLES = ["viewer", "operator", "dispatcher", "crew", "admin"];

/** The dialog that lists users and makes new ones. */
export class UserDialog extends AccountDialog {
  emptyWord = "noUsers";

  constructor(dialog) {
    super(dialog, "users");
    this.who = null;
  }

  /** Fetches the list. */
  load() {
    return api.users();
  }

  /** Title and text of the secret. */
  secretOf(made) {
    return [word("passwordOf", { name: made.name }), made.password];
  }

  /** The form that makes one. */
  makeForm() {
    const name = element("input", { required: true, maxLength: 200, autocomplete: "off" });
    const role = roleChoice("operator");
    const form = element(
      "form",
      { className: "panel make" },
      element("h3", {}, word("newUser")),
      field(word("userName"), name),
      field(word("role"), role),
      departmentBoxes(this.departments, []),
      element("p", { className: "hint" }, word("passwordIsMade")),
      element("button", { type: "submit", className: "primary" }, word("makeUser")),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await this.act(async () => {
        const values = { name: name.value.trim(), role: role.value, department_ids: ticked(form) };
        this.made = await api.makeUser(values);
        form.reset();
        return word("userMade", { name: this.made.name });
      });
      this.toSecret();
    });
    return form;
  }

  /** What the list shows of one. */
  card(user) {
    const disabled = Boolean(user.disabled_at);
    return element(
      "li",
      { className: "panel card", "data-user": user.name },
      element(
        "div",
        { className: "hook-head" },
        element("h3", {}, user.name),
        element(
          "span",
          { className: `pill ${disabled ? "ended" : "valid"}` },
          word(disabled ? "disabled" : "active"),
        ),
      ),
      facts([
        ["role", named("role", user.role)],
        ["departments", namesOf(user.department_ids, this.departments)],
        ["lastSignIn", user.last_sign_in_at ? ago(user.last_sign_in_at) : word("never")],
        ["passwordSet", moment(user.password_set_at)],
      ]),
      this.asked === `change ${user.user_id}` ? this.#changeForm(user) : null,
      element("div", { className: "buttons" }, this.#buttons(user, disabled)),
    );
  }

  #buttons(user, disabled) {
    const id = user.user_id;
    if (this.who?.kind === "user" && this.who.name === user.name) {
      return [element("p", { className: "hint" }, word("thatIsYou"))];
    }
    if (this.asked === `disable ${id}`) return this.#sure(user, "disable", "reallyDisable");
    if (this.asked === `password ${id}`) return this.#sure(user, "password", "reallyReset");
    if (this.asked === `change ${id}`) return [];
    if (disabled) {
      return [actButton(`enable ${id}`, word("enable"), () => this.#disable(user, false))];
    }
    return [
      actButton(`change ${id}`, word("changeRole"), () => this.ask(`change ${id}`, `role ${id}`)),
      actButton(`password ${id}`, word("resetPassword"), () =>
        this.ask(`password ${id}`, `no ${id}`)),
      actButton(`disable ${id}`, word("disable"), () =>
        this.ask(`disable ${id}`, `no ${id}`), "danger"),
    ];
  }

  #sure(user, what, text) {
    const act = what === "disable" ? () => this.#disable(user, true) : () => this.#reset(user);
    const id = user.user_id;
    return [
      actButton(`yes ${id}`, word(text), act, "danger"),
      actButton(`no ${id}`, word("cancel"), () => this.ask(null, `${what} ${id}`)),
    ];
  }

  #changeForm(user) {
    const role = roleChoice(user.role, { "data-act": `role ${user.user_id}` });
    const form = element(
      "form",
      { className: "change" },
      field(word("role"), role),
      departmentBoxes(this.departments, user.department_ids),
      element(
        "div",
        { className: "buttons" },
        element("button", { type: "submit", className: "primary" }, word("save")),
        actButton(`leave ${user.user_id}`, word("cancel"), () =>
          this.ask(null, `change ${user.user_id}`)),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const change = { role: role.value, department_ids: ticked(form) };
      this.act(async () => {
        await api.changeUser(user.user_id, change);
        this.asked = null;
        return word("userChanged", { name: user.name });
      });
    });
    return form;
  }

  #disable(user, disabled) {
    this.asked = null;
    return this.act(async () => {
      await api.changeUser(user.user_id, { disabled });
      return word(disabled ? "userDisabled" : "userEnabled", { name: user.name });
    });
  }

  async #reset(user) {
    this.asked = null;
    await this.act(async () => {
      this.made = await api.resetPassword(user.user_id);
      return word("passwordReset", { name: user.name });
    });
    this.toSecret();
  }
}

function roleChoice(chosen, properties = {}) {
  return choice(ROLES.map((each) => [each, named("role", each)]), chosen, properties);
}
