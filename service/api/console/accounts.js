// What the pages of keys and of users share: a form that makes one, a list of cards, a secret.

import { element } from "./dom.js";
import { SideDialog, redraw, secretPanel } from "./side.js";
import { word } from "./words.js";
import * as api from "./api.js";

/**
 * A list of those who may do something, with a form that makes new ones. Who extends it gives
 * `load()`, `makeForm()`, `card(each)` and `secretOf(made)`: the secret's title and text.
 */
export class AccountDialog extends SideDialog {
  /** Word to show where there are none; null: nothing. */
  emptyWord = null;

  constructor(dialog, titleWord) {
    super(dialog, titleWord);
    this.form = element("div");
    this.secret = element("div");
    this.list = element("ul", { className: "cards" });
    this.body.append(this.secret, this.form, this.list);
    this.forget();
  }

  /** A secret is not shown again. */
  forget() {
    this.all = null;
    this.made = null;
    this.asked = null;
    this.secret?.replaceChildren();
    this.formDrawn = "";
  }

  /** Fetches everything again; what is shown changes only if something did. */
  async refresh() {
    await this.fetch(async () => {
      this.departments ??= await api.departments();
      this.all = await this.load();
    });
  }

  /** Writes anew what is not as it was written last. */
  render() {
    this.head();
    if (this.all === null) return;
    if (this.formDrawn !== document.documentElement.lang) {
      this.formDrawn = document.documentElement.lang;
      this.form.replaceChildren(this.makeForm());
    }
    if (!this.isNew([this.all, this.asked, this.made])) return;
    const isEmpty = this.all.length === 0 && this.emptyWord !== null;
    const empty = isEmpty ? [element("li", { className: "empty" }, word(this.emptyWord))] : [];
    redraw(this.list, ...this.all.map((each) => this.card(each)), ...empty);
    redraw(this.secret, ...(this.made ? [this.#secretPanel()] : []));
  }

  /** Asks whether `what` is really meant (null: no longer), and puts the focus on an answer. */
  ask(what, focused) {
    this.asked = what;
    this.render();
    this.list.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Shows the reader the secret that was just made. */
  toSecret() {
    this.secret.querySelector("button")?.focus();
    if (this.made) this.secret.scrollIntoView({ block: "nearest" });
  }

  #secretPanel() {
    const [title, text] = this.secretOf(this.made);
    return secretPanel(title, text, () => {
      this.made = null;
      this.render();
      this.form.querySelector("input").focus();
    });
  }
}
