// What pages beside the overview share: a heading, a message, forms, secrets that are shown once.

import { element, icon, setText } from "./dom.js";
import { currentLanguage, word } from "./words.js";

/** A dialog with a heading and a message; who extends it fills `this.body`. */
export class SideDialog {
  #title;
  #close;

  constructor(dialog, titleWord) {
    this.dialog = dialog;
    this.titleWord = titleWord;
    this.drawn = "";
    this.#title = element("h2", { id: `${dialog.id}-title` });
    this.#close = element(
      "button",
      { type: "button", className: "icon-button", onclick: () => this.dialog.close() },
      icon("close"),
    );
    this.message = element("p", { className: "message", role: "status" });
    this.body = element("div", { className: "body" });
    dialog.append(element("header", {}, this.#title, this.#close), this.message, this.body);
    dialog.addEventListener("close", () => this.forget());
  }

  /** Whether it can be seen. */
  get shown() {
    return this.dialog.open;
  }

  /** Opens it and fetches what it shows. */
  async open() {
    this.say("");
    this.drawn = "";
    this.head();
    if (!this.dialog.open) this.dialog.showModal();
    await this.refresh();
  }

  /** Lets go of what nobody should find when it is opened again. */
  forget() {}

  /** Writes the heading in the reader's language. */
  head() {
    this.#close.setAttribute("aria-label", word("close"));
    setText(this.#title, word(this.titleWord));
  }

  /** Fetches with `load`; says why if that fails. */
  async fetch(load) {
    try {
      await load();
    } catch (error) {
      if (error.status === 401) this.dialog.close();
      else this.say(error.status === 403 ? word("mayNotManage") : error.message, true);
    }
    this.render();
  }

  /** Whether `state` or the language is not what was drawn last. */
  isNew(state) {
    const drawing = JSON.stringify([state, document.documentElement.lang]);
    if (drawing === this.drawn) return false;
    this.drawn = drawing;
    return true;
  }

  /** Does something, says what came of it, and fetches again. */
  async act(action) {
    try {
      const done = await action();
      this.render(); // a secret that was made is not to wait for the list
      this.say(done);
    } catch (error) {
      this.say(error.message, true);
    }
    await this.refresh();
  }

  /** Says something to the reader. */
  say(text, isBad = false) {
    this.message.classList.toggle("bad", isBad);
    setText(this.message, text);
  }
}

/** Puts new children into `node` and the focus back to where it was. */
export function redraw(node, ...children) {
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  node.replaceChildren(...children);
  if (focused) node.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
}

/** A button; `act` names it among others, so that the focus can find it again. */
export function actButton(act, text, onclick, className = "") {
  return element("button", { type: "button", className, "data-act": act, onclick }, text);
}

/** A field under its label. */
export function field(label, input) {
  return element("label", { className: "field" }, element("span", {}, label), input);
}

/** A choice of `[value, text]` pairs. */
export function choice(options, chosen, properties = {}) {
  return element(
    "select",
    properties,
    options.map(([value, text]) => element("option", { value, selected: value === chosen }, text)),
  );
}

/** Boxes for departments; none ticked: the whole city. */
export function departmentBoxes(departments, chosen) {
  const boxes = departments.map((each) => {
    const id = each.department_id;
    const box = element("input", { type: "checkbox", value: id, checked: chosen.includes(id) });
    return element("label", { className: "tick" }, box, departmentName(each));
  });
  return element(
    "fieldset",
    { className: "ticks" },
    element("legend", {}, word("departments")),
    boxes.length > 0 ? boxes : element("p", { className: "hint" }, word("noDepartments")),
    element("p", { className: "hint" }, word("noneIsAll")),
  );
}

/** Ids of the departments that are ticked in a form. */
export function ticked(form) {
  return [...form.querySelectorAll(".ticks input:checked")].map((box) => box.value);
}

/** A secret, for the only time, with a button that copies it. */
export function secretPanel(title, secret, done) {
  const shown = element("code", { className: "secret", tabIndex: 0 }, secret);
  const copy = actButton("copy", word("copy"), async () => {
    try {
      await navigator.clipboard.writeText(secret);
      setText(copy, word("copied"));
    } catch {
      // Without https the browser lends no clipboard: the text is chosen, to be copied by hand.
      getSelection().selectAllChildren(shown);
    }
  }, "primary");
  const close = actButton("secret-done", word("secretDone"), done);
  return element(
    "section",
    { className: "panel once", role: "alert" },
    element("h3", {}, title),
    shown,
    element("p", { className: "hint" }, word("secretOnce")),
    element("div", { className: "buttons" }, copy, close),
  );
}

/** Terms and values; those without a value are left out. */
export function facts(pairs) {
  return element(
    "dl",
    { className: "facts" },
    pairs
      .filter(([, value]) => value)
      .map(([key, value]) =>
        element("div", {}, element("dt", {}, word(key)), element("dd", {}, value))),
  );
}

/** A department's name in the reader's language. */
export function departmentName(department) {
  return (currentLanguage() === "zh" && department.name_zh) || department.name;
}

/** Names of departments, or that it is the whole city. */
export function namesOf(ids, departments) {
  const known = new Map(departments.map((each) => [each.department_id, departmentName(each)]));
  return ids.length > 0 ? ids.map((id) => known.get(id) ?? id).join(", ") : word("wholeCity");
}
