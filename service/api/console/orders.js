// The list of work orders.

import { arrange, element, icon, setText } from "./dom.js";
import { ago, moment } from "./format.js";
import { currentLanguage, named, word } from "./words.js";

/** A list of orders that is updated in place, so that the keyboard keeps its place. */
export class OrderList {
  #rows = new Map();

  constructor(list) {
    this.list = list;
  }

  /** Shows these orders, in this order. */
  update(orders) {
    const known = new Set(orders.map((order) => order.order_id));
    for (const id of this.#rows.keys()) if (!known.has(id)) this.#rows.delete(id);
    const rows = orders.map((order) => {
      const row = this.#rows.get(order.order_id) ?? new OrderRow(order.order_id);
      this.#rows.set(order.order_id, row);
      row.update(order);
      return row.node;
    });
    arrange(this.list, rows);
  }
}

class OrderRow {
  constructor(id) {
    this.thumbnail = element("img", { alt: "", loading: "lazy", decoding: "async", hidden: true });
    // A picture that cannot be had leaves the drawing of its kind.
    this.thumbnail.onerror = () => (this.thumbnail.hidden = true);
    this.kind = element("span", { className: "thumbnail-kind" });
    this.title = element("span", { className: "order-title" });
    this.place = element("span", { className: "order-place" });
    this.status = element("span");
    this.department = element("span", { className: "order-department" });
    this.time = element("time");
    this.link = element(
      "a",
      { href: `#/orders/${encodeURIComponent(id)}`, className: "order" },
      element("span", { className: "thumbnail" }, this.kind, this.thumbnail),
      element("span", { className: "order-text" }, this.title, this.place, this.department),
      element("span", { className: "order-side" }, this.status, this.time),
    );
    this.node = element("li", { "data-order": id }, this.link);
  }

  update(order) {
    setText(this.time, ago(order.opened_at));
    const seen = `${order.version} ${currentLanguage()}`;
    if (seen === this.seen) return;
    this.seen = seen;
    this.#describe(order);
  }

  #describe(order) {
    const url = firstPicture(order);
    this.thumbnail.hidden = !url;
    if (url && this.thumbnail.getAttribute("src") !== url) this.thumbnail.src = url;
    this.kind.replaceChildren(icon(order.rule_kind));
    setText(this.title, `${named("category", order.category)} #${order.number}`);
    setText(this.place, placeOf(order));
    setText(this.department, departmentOf(order));
    showStatus(this.status, order.status);
    this.time.dateTime = order.opened_at;
    this.time.title = moment(order.opened_at);
    this.link.classList.toggle("urgent", order.priority === "urgent" || order.priority === "high");
    this.link.setAttribute("aria-label", this.#label(order));
  }

  #label(order) {
    return [
      word("open", { number: order.number }),
      named("category", order.category),
      placeOf(order),
      named("status", order.status),
    ].join(", ");
  }
}

/** Colours and names a status. */
export function showStatus(node, status) {
  node.className = `pill status-${status}`;
  setText(node, named("status", status));
}

/** Where it is, in words. */
export function placeOf(order) {
  const names = [order.camera_name || order.camera_id, order.zone_name || order.zone_id];
  return [...new Set(names)].join(" – ");
}

/** Who is to do it, in the reader's language where the service knows the name. */
export function departmentOf(order) {
  const inChinese = currentLanguage() === "zh" && order.department_name_zh;
  return inChinese || order.department_name || order.department_id || word("noDepartment");
}

function firstPicture(order) {
  const pictures = order.evidence ?? [];
  const best = pictures.find((picture) => picture.name === "opened-close") ?? pictures[0];
  return best?.url;
}
