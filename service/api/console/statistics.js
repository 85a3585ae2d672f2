// Figures on the orders of a time: how many, how soon, how right, where and when.

import * as api from "./api.js";
import { bars, columns, heatMap } from "./charts.js";
import { element } from "./dom.js";
import { count, duration, percent } from "./format.js";
import { SideDialog, choice, departmentName, field, redraw } from "./side.js";
import { languageTag, named, word } from "./words.js";

const DAY_MS = 86_400_000;
const SPANS = [7, 30, 90, 365];
/** Counting a year is work for the database: not with every poll. */
const FRESH_MS = 60_000;
const MOST_ROWS = 15;
const STATUSES = [
  "received", "dispatched", "accepted", "in_progress", "resolved", "verified", "closed", "reopened",
  "rejected", "duplicate", "expired",
];

/** The dialog that shows statistics. */
export class StatisticsDialog extends SideDialog {
  constructor(dialog, camerasKnown) {
    super(dialog, "statistics");
    this.camerasKnown = camerasKnown;
    this.wanted = { days: 30, category: "", status: "" };
    this.controls = element("div", { className: "controls" });
    this.content = element("div", { className: "charts" });
    this.body.append(this.controls, this.content);
    this.forget();
  }

  /** Figures are counted anew when it is opened again. */
  forget() {
    this.figures = null;
    this.fetchedAt = 0;
  }

  /** Counts again if that was not done just now. */
  async refresh() {
    if (Date.now() - this.fetchedAt < FRESH_MS) return;
    const asked = JSON.stringify(this.wanted);
    await this.fetch(async () => {
      this.departments ??= await api.departments();
      this.categories ??= await api.categories();
      const { days, category, status } = this.wanted;
      const since = new Date(Date.now() - days * DAY_MS).toISOString();
      const figures = await api.statistics(since, { category, status });
      if (asked !== JSON.stringify(this.wanted)) return; // something else was chosen meanwhile
      this.figures = figures;
      this.fetchedAt = Date.now();
    });
  }

  /** Writes anew what is not as it was written last. */
  render() {
    this.head();
    if (this.figures === null || !this.isNew([this.figures, this.wanted])) return;
    redraw(this.controls, ...this.#controls());
    this.content.replaceChildren(...this.#sections());
  }

  #controls() {
    const choose = (name, read) => (event) => this.#choose(name, read(event.target.value));
    const categories = this.categories.map((each) => [each.category, named("category", each.category)]);
    const text = (value) => value;
    return [
      field(word("span"), choice(SPANS.map((n) => [String(n), word("lastDays", { n })]),
        String(this.wanted.days), { "data-act": "days", onchange: choose("days", Number) })),
      field(word("category"), choice([["", word("all")], ...categories], this.wanted.category,
        { "data-act": "category", onchange: choose("category", text) })),
      field(word("statusNow"), choice(
        [["", word("all")], ...STATUSES.map((each) => [each, named("status", each)])],
        this.wanted.status, { "data-act": "status", onchange: choose("status", text) })),
    ];
  }

  async #choose(name, value) {
    this.wanted = { ...this.wanted, [name]: value };
    this.fetchedAt = 0;
    await this.refresh();
  }

  #sections() {
    const figures = this.figures;
    return [
      this.#totals(figures),
      section("perDay", columns(daysOf(figures, this.wanted.days), word("perDay")), "wide"),
      section("byCategory", this.#counts(figures.by_category, "category")),
      section("byStatus", this.#counts(figures.by_status, "status")),
      section("load", this.#load(figures.load)),
      section("precision", this.#precision(figures.precision), "", word("precisionHelp")),
      section("heatMap", this.#heat(figures), "wide",
        word("heatHelp", { timezone: figures.timezone })),
    ];
  }

  #totals(figures) {
    const took = (times) =>
      (times.count === 0 ? "–" : duration(times.median_s));
    const slow = (times) =>
      times.count === 0 ? "" : word("slowOf", { time: duration(times.p90_s), n: count(times.count) });
    const shown = [
      ["totalOrders", count(figures.total), ""],
      ["timeToAccept", took(figures.time_to_accept), slow(figures.time_to_accept)],
      ["timeToResolve", took(figures.time_to_resolve), slow(figures.time_to_resolve)],
      ["timeToClear", took(figures.time_to_clear), slow(figures.time_to_clear)],
    ];
    return element("dl", { className: "figures wide" }, shown.map(([key, value, note]) =>
      element("div", { "data-figure": key },
        element("dt", {}, word(key), note ? element("small", {}, note) : null),
        element("dd", {}, value))));
  }

  #counts(counted, group) {
    const rows = Object.entries(counted)
      .map(([key, number]) => ({ key, label: named(group, key), number }))
      .sort((a, b) => b.number - a.number)
      .slice(0, MOST_ROWS);
    return rows.length === 0 ? none() : bars(rows, (key) => this.#choose(group, key));
  }

  #load(load) {
    const rows = load.map((each) => ({
      key: each.department_id ?? "",
      label: this.#department(each),
      number: each.open,
      note: each.overdue > 0
        ? word("openOverdue", { n: count(each.open), late: count(each.overdue) })
        : count(each.open),
    }));
    return rows.length === 0 ? none() : bars(rows);
  }

  #department({ department_id: id }) {
    const known = this.departments.find((each) => each.department_id === id);
    return (known && departmentName(known)) || id || word("noDepartment");
  }

  #precision(precision) {
    if (precision.length === 0) return none();
    const rows = [...precision]
      .sort((a, b) => b.confirmed + b.false_alarms - (a.confirmed + a.false_alarms))
      .slice(0, MOST_ROWS)
      .map((each) => element("tr", {},
        element("th", { scope: "row" }, this.#place(each), element("small", {}, `${named("category", each.category)} · ${each.rule_id}`)),
        element("td", {}, percent(each.precision),
          element("small", {}, `${percent(each.low)} – ${percent(each.high)}`)),
        element("td", {}, count(each.confirmed)),
        element("td", {}, count(each.false_alarms))));
    const head = ["zone", "share", "confirmed", "falseAlarms"].map((key) =>
      element("th", { scope: "col" }, word(key)));
    return element("table", {}, element("thead", {}, element("tr", {}, head)),
      element("tbody", {}, rows));
  }

  #heat(figures) {
    const zones = new Map();
    for (const { camera_id: camera, zone_id: zone, hour, count: number } of figures.heat_map) {
      const key = `${camera} ${zone}`;
      const row = zones.get(key) ?? { key, hours: Array(24).fill(0), total: 0,
        label: this.#place({ camera_id: camera, zone_id: zone }) };
      row.hours[hour] += number;
      row.total += number;
      zones.set(key, row);
    }
    const rows = [...zones.values()].sort((a, b) => b.total - a.total).slice(0, MOST_ROWS);
    return rows.length === 0 ? none() : heatMap(rows, (hour) => `${String(hour).padStart(2, "0")}:00`);
  }

  #place({ camera_id: camera, zone_id: zone }) {
    if (camera === "open311") return word("citizens");
    const known = this.camerasKnown().find((each) => each.camera_id === camera);
    return `${known?.name || camera} – ${zone}`;
  }
}

function section(title, content, className = "", help = "") {
  return element("section", { className: `panel ${className}`, "data-chart": title },
    element("h3", {}, word(title)),
    help ? element("p", { className: "hint" }, help) : null,
    content);
}

function none() {
  return element("p", { className: "hint" }, word("nothingCounted"));
}

/** Every day of the time, also those without orders, as `[label, number]`. */
function daysOf(figures, days) {
  const format = new Intl.DateTimeFormat(languageTag(), { day: "numeric", month: "short", timeZone: "UTC" });
  const known = Object.keys(figures.by_day);
  const last = known.at(-1);
  const today = localDay(new Date(figures.created_until), figures.timezone);
  const end = Date.parse(last && last > today ? last : today);
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(end - (days - 1 - index) * DAY_MS);
    return [format.format(day), figures.by_day[day.toISOString().slice(0, 10)] ?? 0];
  });
}

function localDay(time, timeZone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(time);
}
