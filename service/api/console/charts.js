// Small drawings as inline SVG: no style attributes, which the page's policy forbids.

import { element } from "./dom.js";
import { count } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const HOURS = 24;
const HEAT_STEPS = 5;
const HEIGHT = 120;
const COLUMN = 10;

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Columns for `[label, number]` pairs, all of one width; `title` says what they are. */
export function columns(pairs, title) {
  const most = Math.max(1, ...pairs.map(([, number]) => number));
  const bars = pairs.map(([label, number], index) => {
    const height = (number / most) * HEIGHT;
    const bar = svg(
      "rect",
      { x: index * COLUMN + 1, y: HEIGHT - height, width: COLUMN - 2, height, class: "bar-fill" },
      svg("title", {}, `${label}: ${count(number)}`),
    );
    return bar;
  });
  const width = Math.max(1, pairs.length) * COLUMN;
  const drawing = svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
      "aria-label": title, class: "columns-chart",
    },
    svg("line", { x1: 0, x2: width, y1: HEIGHT, y2: HEIGHT, class: "axis" }),
    ...bars,
  );
  const ends = element(
    "div",
    { className: "chart-ends" },
    element("span", {}, pairs[0]?.[0] ?? ""),
    element("span", {}, pairs.at(-1)?.[0] ?? ""),
  );
  const top = element("span", { className: "chart-top" }, count(most));
  return element("figure", { className: "chart" }, top, drawing, ends);
}

/** A table of `[label, number]` rows with a bar each; `choose`, if given, is called with its key. */
export function bars(rows, choose) {
  const most = Math.max(1, ...rows.map(({ number }) => number));
  return element(
    "ul",
    { className: "bars" },
    rows.map(({ key, label, number, note }) => {
      const drawing = svg(
        "svg",
        { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { x: 0, y: 0, width: 100, height: 8, class: "bar-back" }),
        svg("rect", { x: 0, y: 0, width: (number / most) * 100, height: 8, class: "bar-fill" }),
      );
      const name = choose
        ? element("button", { type: "button", className: "link", onclick: () => choose(key) }, label)
        : element("span", {}, label);
      const value = element("span", { className: "bar-number" }, note ?? count(number));
      return element("li", { "data-row": key }, name, value, drawing);
    }),
  );
}

/** A strip of 24 hours for each `{key, label, hours}` row: the more orders, the stronger. */
export function heatMap(rows, hourOf) {
  const most = Math.max(1, ...rows.flatMap(({ hours }) => hours));
  const strips = rows.map(({ key, label, hours }) => {
    const total = hours.reduce((sum, each) => sum + each, 0);
    const peak = hours.indexOf(Math.max(...hours));
    const cells = hours.map((number, hour) => {
      const step = number === 0 ? 0 : Math.max(1, Math.ceil((number / most) * HEAT_STEPS));
      return svg(
        "rect",
        { x: hour * 10 + 0.5, y: 0.5, width: 9, height: 13, rx: 1.5, class: `heat heat-${step}` },
        svg("title", {}, `${hourOf(hour)}: ${count(number)}`),
      );
    });
    const drawing = svg(
      "svg",
      {
        viewBox: `0 0 ${HOURS * 10} 14`, preserveAspectRatio: "none", role: "img",
        "aria-label": `${label}: ${count(total)}, ${hourOf(peak)} ${count(hours[peak])}`,
      },
      ...cells,
    );
    const head = element(
      "div", { className: "strip-head" },
      element("span", {}, label), element("span", { className: "bar-number" }, count(total)),
    );
    return element("li", { "data-row": key }, head, drawing);
  });
  const hours = [0, 6, 12, 18].map((hour) => element("span", {}, hourOf(hour)));
  return element(
    "div",
    { className: "strips" },
    element("div", { className: "strip-hours", "aria-hidden": "true" }, hours),
    element("ul", {}, strips),
  );
}
