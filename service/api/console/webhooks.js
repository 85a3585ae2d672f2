// The webhooks: how each receiver fares, what was given up, and what may be sent again.

import * as api from "./api.js";
import { element, icon, setText } from "./dom.js";
import { ago, count, moment } from "./format.js";
import { named, word } from "./words.js";

const STATES = ["", "dead", "pending", "delivered"];

/** The dialog that lists subscriptions, their deliveries, and every attempt. */
export class WebhookDialog {
  constructor(dialog) {
    this.dialog = dialog;
    this.subscriptions = null;
    this.opened = null;
    this.wanted = "";
    this.deliveries = [];
    this.attempts = new Map();
    this.drawn = "";
    this.#build();
  }

  #build() {
    this.title = element("h2", { id: "webhooks-title" });
    this.close = element(
      "button",
      { type: "button", className: "icon-button", onclick: () => this.dialog.close() },
      icon("close"),
    );
    this.message = element("p", { className: "message", role: "status" });
    this.list = element("ul", { className: "hooks" });
    this.dialog.append(
      element("header", {}, this.title, this.close),
      this.message,
      element("div", { className: "body" }, this.list),
    );
  }

  /** Whether it can be seen. */
  get shown() {
    return this.dialog.open;
  }

  /** Opens it and fetches what it shows. */
  async open() {
    this.#say("");
    this.drawn = "";
    if (!this.dialog.open) this.dialog.showModal();
    await this.refresh();
  }

  /** Fetches everything again; what is shown changes only if something did. */
  async refresh() {
    try {
      this.subscriptions = await api.subscriptions();
      if (this.opened) this.deliveries = await api.deliveries(this.opened, this.wanted);
    } catch (error) {
      if (error.status === 401) this.dialog.close();
      else this.#say(error.status === 403 ? word("mayNotSubscribe") : error.message, true);
    }
    this.render();
  }

  /** Writes everything anew if it is not what was written last. */
  render() {
    this.close.setAttribute("aria-label", word("close"));
    setText(this.title, word("webhooks"));
    const told = [this.subscriptions, this.opened, this.wanted, this.deliveries];
    const drawing = JSON.stringify([...told, [...this.attempts], document.documentElement.lang]);
    if (drawing === this.drawn) return;
    this.drawn = drawing;
    const focused = document.activeElement?.dataset?.act;
    this.list.replaceChildren(...(this.subscriptions ?? []).map((each) => this.#card(each)));
    if (this.subscriptions?.length === 0) {
      this.list.replaceChildren(element("li", { className: "empty" }, word("noWebhooks")));
    }
    if (focused) this.list.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
  }

  #card(hook) {
    const id = hook.subscription_id;
    const isOpen = this.opened === id;
    return element(
      "li",
      { className: "hook panel", "data-hook": id },
      element(
        "div",
        { className: "hook-head" },
        element("h3", {}, hook.description || hook.url),
        element("span", { className: `pill hook-${hook.state}` }, named("hook", hook.state)),
      ),
      hook.disabled_reason
        ? element("p", { className: "hook-reason" }, whyDisabled(hook))
        : null,
      element("dl", { className: "facts" }, ...factsOf(hook)),
      element("div", { className: "buttons" }, ...this.#buttons(hook, isOpen)),
      isOpen ? this.#log(hook) : null,
    );
  }

  #buttons(hook, isOpen) {
    const id = hook.subscription_id;
    const buttons = [
      this.#button(`log ${id}`, word(isOpen ? "hideDeliveries" : "showDeliveries"), () =>
        this.#toggle(id)),
    ];
    if (hook.kind === "webhook") {
      buttons.push(this.#button(`test ${id}`, word("testHook"), () => this.#test(hook)));
    }
    if (hook.dead > 0) {
      const text = word("sendAllAgain", { n: count(hook.dead) });
      buttons.push(this.#button(`all ${id}`, text, () => this.#sendAllAgain(hook)));
    }
    if (!hook.active) {
      buttons.push(this.#button(`on ${id}`, word("switchOn"), () => this.#switchOn(hook)));
    }
    buttons[0].setAttribute("aria-expanded", String(isOpen));
    return buttons;
  }

  #button(act, text, onclick) {
    return element("button", { type: "button", "data-act": act, onclick }, text);
  }

  #log(hook) {
    const select = element(
      "select",
      {
        "data-act": `state ${hook.subscription_id}`,
        "aria-label": word("whichDeliveries"),
        onchange: (event) => this.#choose(event.target.value),
      },
      ...STATES.map((state) =>
        element("option", { value: state, selected: state === this.wanted },
          state ? named("delivery", state) : word("allDeliveries"))),
    );
    const rows = this.deliveries.map((each) => this.#row(hook, each));
    const none = element("p", { className: "empty" }, word("noDeliveries"));
    return element("section", { className: "hook-log" }, select,
      rows.length > 0 ? element("ul", {}, ...rows) : none);
  }

  #row(hook, delivery) {
    const id = delivery.delivery_id;
    const log = this.attempts.get(id);
    const again = delivery.state === "dead"
      ? this.#button(`again ${id}`, word("sendAgain"), () => this.#sendAgain(hook, delivery))
      : null;
    const attempts = this.#button(`attempts ${id}`, word("attempts", { n: count(delivery.attempts) }),
      () => this.#showAttempts(hook, delivery));
    attempts.setAttribute("aria-expanded", String(Boolean(log)));
    return element(
      "li",
      { className: "delivery" },
      element("span", { className: `pill hook-${delivery.state}` }, named("delivery", delivery.state)),
      element("div", { className: "delivery-text" },
        element("span", {}, named("event", delivery.event_type.split(".").at(-1))),
        element("a", { href: `#/orders/${encodeURIComponent(delivery.order_id)}` }, word("itsOrder")),
        element("span", { className: "hint" }, moment(delivery.created_at)),
        delivery.last_error ? element("span", { className: "hook-error" }, delivery.last_error) : null),
      element("div", { className: "buttons" }, attempts, again),
      log ? attemptList(log) : null,
    );
  }

  async #toggle(id) {
    this.opened = this.opened === id ? null : id;
    this.deliveries = [];
    this.attempts.clear();
    this.wanted = "";
    await this.refresh();
  }

  async #choose(state) {
    this.wanted = state;
    await this.refresh();
  }

  async #showAttempts(hook, delivery) {
    if (!this.attempts.delete(delivery.delivery_id)) {
      await this.#do(async () => {
        const detail = await api.delivery(hook.subscription_id, delivery.delivery_id);
        this.attempts.set(delivery.delivery_id, detail.log);
        return "";
      });
    }
    this.render();
  }

  async #test(hook) {
    this.#say(word("testing"));
    await this.#do(async () => {
      const answer = await api.testSubscription(hook.subscription_id);
      const took = `${count(Math.round(answer.duration_s * 1000))} ms`;
      if (answer.delivered) return word("testGood", { status: answer.status_code, took });
      throw new Error(word("testBad", { reason: answer.error }));
    });
  }

  #sendAgain(hook, delivery) {
    return this.#do(async () => {
      await api.retryDelivery(hook.subscription_id, delivery.delivery_id);
      return word("sentAgain", { n: 1 });
    });
  }

  #sendAllAgain(hook) {
    return this.#do(async () => {
      const { count: n } = await api.retryDead(hook.subscription_id);
      return word("sentAgain", { n: count(n) });
    });
  }

  #switchOn(hook) {
    return this.#do(async () => {
      await api.activate(hook.subscription_id);
      return word("switchedOn");
    });
  }

  /** Does something and says what came of it. */
  async #do(action) {
    try {
      this.#say(await action());
    } catch (error) {
      this.#say(error.message, true);
    }
    await this.refresh();
  }

  #say(text, isBad = false) {
    this.message.classList.toggle("bad", isBad);
    setText(this.message, text);
  }
}

function whyDisabled(hook) {
  const at = hook.disabled_at ? moment(hook.disabled_at) : "";
  return word("hookDisabled", { time: at, reason: hook.disabled_reason });
}

function factsOf(hook) {
  const waiting = hook.oldest_pending_at
    ? word("waitingSince", { n: count(hook.pending), ago: ago(hook.oldest_pending_at) })
    : count(hook.pending);
  const facts = [
    ["hookAddress", hook.url],
    ["lastSuccess", hook.last_success_at ? ago(hook.last_success_at) : word("never")],
    ["pendingDeliveries", waiting],
    ["deadDeliveries", count(hook.dead)],
  ];
  if (hook.failing_since) facts.push(["failingSince", ago(hook.failing_since)]);
  return facts.map(([key, value]) =>
    element("div", {}, element("dt", {}, word(key)), element("dd", {}, value)));
}

function attemptList(log) {
  const rows = log.map((each) =>
    element("li", {},
      element("span", {}, moment(each.at)),
      element("span", {}, each.error ?? `HTTP ${each.status_code}`),
      element("span", { className: "hint" }, `${count(Math.round(each.duration_s * 1000))} ms`),
      each.answer ? element("q", {}, each.answer) : null));
  return element("ol", { className: "attempts" }, ...rows);
}
