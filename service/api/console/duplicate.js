// Choosing the order that another one repeats.

import * as api from "./api.js";
import { element } from "./dom.js";
import { ago } from "./format.js";
import { placeOf } from "./orders.js";
import { named, word } from "./words.js";

const OPEN = [
  "received", "dispatched", "accepted", "in_progress", "resolved", "reopened",
];

/** Orders that `order` may repeat, the likeliest first: close by, of the same zone, then newest. */
export async function candidates(order) {
  const near = new Map((order.inspection?.near ?? []).map((each, index) => [each.order_id, index]));
  const found = await api.openOrders(order.category, OPEN);
  const rank = (each) => {
    if (near.has(each.order_id)) return near.get(each.order_id) - near.size;
    return each.camera_id === order.camera_id && each.zone_id === order.zone_id ? 0 : 1;
  };
  const others = found.filter((each) => each.order_id !== order.order_id);
  const listed = new Set(others.map((each) => each.order_id));
  const elsewhere = (order.inspection?.near ?? []).filter((each) => !listed.has(each.order_id));
  return [...elsewhere, ...others.sort((a, b) => rank(a) - rank(b) || b.number - a.number)];
}

/** The form that asks which; `submit` gets an order's id. */
export function duplicateForm(orders, { submit, cancel }) {
  const select = element(
    "select",
    { id: "duplicate-of", required: true },
    element("option", { value: "" }, word("chooseOrder")),
    orders.map((each) => element("option", { value: each.order_id }, lineOf(each))),
  );
  const send = (event) => {
    event.preventDefault();
    if (select.value) submit(select.value);
    else select.focus();
  };
  return element(
    "form",
    { className: "reason", noValidate: true, onsubmit: send },
    element("label", { htmlFor: "duplicate-of" }, word("whichOrder")),
    select,
    orders.length === 0 ? element("p", { className: "hint" }, word("noOtherOrder")) : null,
    element("button", { type: "submit", className: "danger" }, word("markDuplicate")),
    element("button", { type: "button", onclick: cancel }, word("cancel")),
  );
}

function lineOf(order) {
  const place = order.camera_id ? placeOf(order) : named("category", order.category);
  const away = order.distance_m === undefined ? "" : word("metresAway", { n: Math.round(order.distance_m) });
  const when = order.opened_at ? ago(order.opened_at) : "";
  return [`#${order.number}`, place, named("status", order.status), away || when].join(" · ");
}
