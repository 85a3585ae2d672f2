// A citizen's report: what the detector saw in its photo, and what it suggests.

import { element } from "./dom.js";
import { moment, percent } from "./format.js";
import { named, word } from "./words.js";

/** What became of the photo; null for an order that is no report with a photo. */
export function reportSection(order, { mayAccept, accept }) {
  const inspection = order.inspection;
  if (!inspection) return null;
  return element(
    "section",
    { className: "report" },
    element("h3", {}, word("citizensPhoto")),
    element("p", { className: "hint" }, stateOf(inspection)),
    ...suggestionOf(order, inspection, mayAccept, accept),
    nearList(inspection),
  );
}

function stateOf(inspection) {
  const { state, wait_until: until, done_at: at, model, reason } = inspection;
  return word(`photo_${state}`, { until: moment(until), at: moment(at), model, reason });
}

function suggestionOf(order, inspection, mayAccept, accept) {
  if (inspection.state !== "inspected") return [];
  const found = inspection.detections.map((each) =>
    `${named("label", each.label)} ${percent(each.confidence)}`);
  const seen = element("p", {}, found.length > 0
    ? word("photoShows", { found: found.slice(0, 6).join(", ") })
    : word("photoShowsNothing"));
  const suggestion = inspection.suggestion;
  if (!suggestion) return [seen];
  const category = named("category", suggestion.category);
  if (suggestion.category === order.category) {
    return [seen, element("p", {}, word("photoAgrees", { category }))];
  }
  const text = word("photoSuggests", { category, confidence: percent(suggestion.confidence) });
  const button = element(
    "button",
    { type: "button", className: "primary", "data-act": "accept", onclick: accept },
    word("acceptSuggestion", { category }),
  );
  const isOver = order.allowed_statuses.length === 0;
  return [seen, element("p", {}, text), mayAccept && !isOver ? button : null];
}

function nearList(inspection) {
  if (inspection.near.length === 0) return null;
  const items = inspection.near.map((each) =>
    element(
      "li",
      {},
      element(
        "a",
        { href: `#/orders/${encodeURIComponent(each.order_id)}` },
        `${word("order", { number: each.number })} · ${named("category", each.category)}`,
      ),
      ` ${word("metresAway", { n: Math.round(each.distance_m) })} · ${named("status", each.status)}`,
    ));
  return element("div", { className: "near" },
    element("p", {}, word("nearOrders")), element("ul", {}, items));
}
