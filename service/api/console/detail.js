// One work order: evidence, facts, next steps, history.

import * as api from "./api.js";
import { element, icon, setText } from "./dom.js";
import { candidates, duplicateForm } from "./duplicate.js";
import { choiceOf, firstShown, largeFile, shownFiles, signedList, titleOf } from "./evidence.js";
import { count, duration, moment, percent } from "./format.js";
import { departmentOf, placeOf, showStatus } from "./orders.js";
import { reportSection } from "./report.js";
import { named, word } from "./words.js";

/** In the order in which buttons are offered: the usual next step first, refusal last. */
const STEPS = [
  "dispatched", "accepted", "verified", "closed", "in_progress", "resolved", "reopened", "duplicate",
  "rejected",
];
/** Why an order is rejected, the most frequent first; models learn from false alarms only. */
const REASONS = ["false_alarm", "permitted", "duplicate", "already_done", "not_our_task", "other"];

/** The dialog that shows one order and lets it go on. */
export class OrderDialog {
  constructor(dialog, { onChange, onClose }) {
    this.dialog = dialog;
    this.onChange = onChange;
    this.order = null;
    this.who = null;
    this.chosen = null;
    this.rejecting = false;
    this.originals = null;
    this.#build();
    dialog.addEventListener("close", onClose);
  }

  #build() {
    this.title = element("h2", { id: "order-title" });
    this.status = element("span");
    this.close = element(
      "button",
      { type: "button", className: "icon-button", onclick: () => this.dialog.close() },
      icon("close"),
    );
    this.message = element("p", { className: "message", role: "status" });
    this.pictures = element("section", { className: "pictures" });
    this.steps = element("section", { className: "steps" });
    this.report = element("div");
    this.facts = element("dl", { className: "facts wide" });
    this.history = element("section", { className: "history" });
    const side = element("div", { className: "side" }, this.report, this.steps, this.facts, this.history);
    this.dialog.append(
      element("header", {}, this.title, this.status, this.close),
      this.message,
      element("div", { className: "body columns" }, this.pictures, side),
    );
  }

  /** Id of the order that is shown, or null. */
  get shown() {
    return this.dialog.open ? this.id : null;
  }

  /** Opens it with the order of this id. */
  async open(id) {
    this.id = id;
    this.order = null;
    this.chosen = null;
    this.rejecting = false;
    this.originals = null;
    this.#say("");
    for (const part of [this.pictures, this.report, this.steps, this.facts, this.history]) {
      part.replaceChildren();
    }
    setText(this.title, "…");
    this.status.className = "";
    setText(this.status, "");
    this.close.setAttribute("aria-label", word("close"));
    if (!this.dialog.open) this.dialog.showModal();
    await this.refresh();
  }

  /** Fetches the order again; what is shown changes only if the order did. */
  async refresh() {
    const id = this.id;
    try {
      const order = await api.order(id);
      if (this.id === id) this.#take(order);
    } catch (error) {
      if (this.id !== id) return;
      if (error.status === 401) this.dialog.close();
      this.#say(error.status === 404 ? word("orderGone") : word("unreachableAtFirst"), true);
      this.unread = true;
    }
  }

  #take(order) {
    if (this.unread) this.#say("");
    const same = this.order?.version === order.version;
    this.order = order;
    if (!same) this.render();
    // When it was last seen moves on without a new version.
    else this.facts.replaceChildren(...factsOf(order));
  }

  /** Writes everything anew, as after a change of the order or of the language. */
  render() {
    const order = this.order;
    this.close.setAttribute("aria-label", word("close"));
    if (!order) return;
    setText(
      this.title,
      `${word("order", { number: order.number })} · ${named("category", order.category)}`,
    );
    showStatus(this.status, order.status);
    this.#renderPictures(order);
    this.#renderReport(order);
    this.#renderSteps(order);
    this.facts.replaceChildren(...factsOf(order));
    this.history.replaceChildren(...historyOf(order));
  }

  #renderPictures(order) {
    const files = shownFiles(order);
    const heading = element("h3", {}, word("evidence"));
    if (files.length === 0) {
      this.pictures.replaceChildren(heading, element("p", { className: "empty" }, word("noEvidence")));
      return;
    }
    const chosen = files.find((file) => file.name === this.chosen) ?? firstShown(files);
    const choices = files.map((file) => this.#choice(file, file === chosen));
    const parts = [
      heading,
      largeFile(chosen, order),
      element("div", { className: "choices" }, choices),
      signedList(order),
    ];
    this.pictures.replaceChildren(...parts.filter((part) => part !== null));
  }

  #choice(file, isChosen) {
    return choiceOf(file, isChosen, () => {
      this.chosen = file.name;
      this.#renderPictures(this.order);
      this.pictures.querySelector("[aria-pressed=true]").focus();
    });
  }

  #renderReport(order) {
    const section = reportSection(order, {
      mayAccept: this.who?.may_reassign ?? false,
      accept: () => this.#do(() => api.acceptSuggestion(this.order), "suggestionAccepted"),
    });
    this.report.replaceChildren(...(section ? [section] : []));
  }

  #renderSteps(order) {
    const steps = order.allowed_statuses
      .filter((status) => this.#may(status))
      .sort((a, b) => STEPS.indexOf(a) - STEPS.indexOf(b));
    const heading = element("h3", {}, word("nextStep"));
    if (steps.length === 0) {
      const why = order.allowed_statuses.length === 0 ? "finalStatus" : "notYourStep";
      this.steps.replaceChildren(heading, element("p", { className: "hint" }, word(why)));
      return;
    }
    const buttons = steps.map((status, index) => this.#stepButton(status, index === 0));
    this.steps.replaceChildren(heading, this.#form() ?? element("div", { className: "buttons" }, buttons));
  }

  /** The form that a step asks for, if one does just now. */
  #form() {
    if (this.rejecting) return this.#reasonForm();
    if (!this.originals) return null;
    return duplicateForm(this.originals, {
      submit: (id) => this.#change("duplicate", { duplicate_of: id }),
      cancel: () => {
        this.originals = null;
        this.#renderSteps(this.order);
        this.steps.querySelector("[data-status=duplicate]").focus();
      },
    });
  }

  /** Whether this page offers a step: the role may make it, and a button is enough for it. */
  #may(status) {
    return STEPS.includes(status) && (this.who?.may_set.includes(status) ?? true);
  }

  #stepButton(status, isFirst) {
    const isReject = status === "rejected";
    const className = isReject || status === "duplicate" ? "danger" : isFirst ? "primary" : "";
    const act = () => {
      if (isReject) this.#askReason();
      else if (status === "duplicate") this.#askOriginal();
      else this.#change(status);
    };
    return element(
      "button",
      { type: "button", className, "data-status": status, onclick: act },
      named("to", status),
    );
  }

  #askReason() {
    this.rejecting = true;
    this.#renderSteps(this.order);
    this.steps.querySelector("select").focus();
  }

  async #askOriginal() {
    try {
      this.originals = await candidates(this.order);
    } catch (error) {
      this.#explain(error);
      return;
    }
    this.#renderSteps(this.order);
    this.steps.querySelector("select").focus();
  }

  #reasonForm() {
    const code = element(
      "select",
      { id: "reason-code", required: true, "aria-describedby": "reason-help" },
      element("option", { value: "" }, word("chooseReason")),
      REASONS.filter((value) => this.who?.reject_reasons.includes(value) ?? true).map((value) =>
        element("option", { value }, named("reason", value)),
      ),
    );
    const reason = element("textarea", { id: "reason", rows: 3, maxLength: 1000 });
    const submit = (event) => {
      event.preventDefault();
      const words = reason.value.trim();
      if (!code.value) this.#say(word("reasonNeeded"), true);
      else if (code.value === "other" && !words) this.#say(word("wordsNeeded"), true);
      else this.#change("rejected", { reason_code: code.value, reason: words });
    };
    const cancel = () => {
      this.rejecting = false;
      this.#renderSteps(this.order);
      this.steps.querySelector("[data-status=rejected]").focus();
    };
    return element(
      "form",
      { className: "reason", noValidate: true, onsubmit: submit },
      element("label", { htmlFor: "reason-code" }, word("reason")),
      code,
      element("p", { id: "reason-help", className: "hint" }, word("reasonHelp")),
      element("label", { htmlFor: "reason" }, word("inWords")),
      reason,
      element("button", { type: "submit", className: "danger" }, word("rejectNow")),
      element("button", { type: "button", onclick: cancel }, word("cancel")),
    );
  }

  #change(status, why = {}) {
    return this.#do(
      () => api.changeStatus(this.order, status, why), "saved", { status: named("status", status) },
    );
  }

  async #do(action, done, values = {}) {
    this.#setBusy(true);
    try {
      await action();
      this.rejecting = false;
      this.originals = null;
      this.#say(word(done, values));
    } catch (error) {
      this.#explain(error);
    }
    await this.refresh();
    this.#setBusy(false);
    this.steps.querySelector("button")?.focus();
    this.onChange();
  }

  #explain(error) {
    const changed = error.status === 409 || error.status === 412;
    const reason = error.status === 403 ? word("mayNotWork") : error.message;
    if (changed) {
      this.rejecting = false;
      this.originals = null;
    }
    this.#say(changed ? word("changedMeanwhile") : word("changeFailed", { reason }), true);
  }

  #setBusy(busy) {
    for (const part of [this.steps, this.report]) {
      for (const button of part.querySelectorAll("button")) button.disabled = busy;
    }
  }

  #say(text, isBad = false) {
    this.unread = false;
    this.message.classList.toggle("bad", isBad);
    setText(this.message, text);
  }
}

/** Facts that only a camera can tell. */
const OF_CAMERAS = new Set([
  "label", "startedAt", "openedAt", "observed", "inferred", "dwell", "lastSeenAt", "onCamera", "detector",
]);

function factsOf(order) {
  const isReport = order.rule_kind === "citizen_report";
  const confidence = percent(order.confidence);
  const seen = word("seenWith", { label: named("label", order.label), confidence });
  const facts = [
    ["citizenSays", isReport ? order.description : ""],
    ["reportedAt", isReport ? moment(order.created_at) : ""],
    [isReport ? "source" : "camera", placeOf(order)],
    ["address", order.address],
    ["width", order.width_m ? word("metres", { number: order.width_m.toFixed(1) }) : ""],
    ["alsoSeenBy", otherCameras(order)],
    ["department", departmentOf(order)],
    ["priority", named("priority", order.priority)],
    ["label", seen],
    ["objects", order.object_count > 1 ? count(order.object_count) : ""],
    ["startedAt", moment(order.started_at)],
    ["openedAt", moment(order.opened_at)],
    ["observed", duration(order.observed_s)],
    ["inferred", order.inferred_s ? duration(order.inferred_s) : ""],
    ["dwell", duration(order.dwell_s)],
    ["lastSeenAt", moment(order.last_seen_at)],
    ["timeToClear", order.time_to_clear_s === null ? "" : duration(order.time_to_clear_s)],
    ["duplicateOf", order.duplicate_of ? recurrenceLink(order.duplicate_of, "otherOrder") : ""],
    ["recurrence", order.previous_order_id ? recurrenceLink(order.previous_order_id) : ""],
    ["rejectedFor", order.reason_code ? named("reason", order.reason_code) : ""],
    ["detector", order.model],
    ["onCamera", order.cleared_at ? word("clearSince", { time: moment(order.cleared_at) }) : word("stillThere")],
  ];
  return facts
    .filter(([key, value]) => value && !(isReport && OF_CAMERAS.has(key)))
    .map(([key, value]) =>
      element("div", {}, element("dt", {}, word(key)), element("dd", {}, value)),
    );
}

/** Other cameras that see it, each with whether it still does. */
function otherCameras(order) {
  return (order.sightings ?? [])
    .filter((seen) => seen.incident_id !== order.incident_id)
    .map((seen) => {
      const state = seen.cleared_at
        ? word("clearSince", { time: moment(seen.cleared_at) })
        : word("stillThere");
      return `${seen.camera_name} · ${seen.zone_name} (${state})`;
    })
    .join("; ");
}

/** Leads to the ended order that this one is the return of. */
function recurrenceLink(orderId, key = "earlierOrder") {
  return element("a", { href: `#/orders/${encodeURIComponent(orderId)}` }, word(key));
}

function historyOf(order) {
  const entries = [...(order.history ?? [])].reverse().map((entry) =>
    element(
      "li",
      {},
      element("span", { className: "history-what" }, whatHappened(entry)),
      noteOf(entry),
      element(
        "span",
        { className: "history-who" },
        element("time", { dateTime: entry.at }, moment(entry.at)),
        ` · ${entry.actor}`,
      ),
    ),
  );
  return [element("h3", {}, word("history")), element("ol", { reversed: true }, entries)];
}

function noteOf(entry) {
  if (!entry.note) return null;
  // The note of a picture is its name, not something that somebody wrote.
  if (entry.kind === "evidence") return element("span", {}, titleOf({ name: entry.note }));
  return element("q", {}, entry.note);
}

function whatHappened(entry) {
  return word(`history_${entry.kind}`, {
    status: named("status", entry.to_status),
    department: entry.department_id ?? word("noDepartment"),
  });
}
