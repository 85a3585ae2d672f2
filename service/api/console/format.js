// Times, durations and numbers in the reader's language.

import { languageTag } from "./words.js";

const STEPS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** Date and time, as `24 Nov 2026, 10:05`. */
export function moment(text) {
  if (!text) return "";
  return new Intl.DateTimeFormat(languageTag(), {
    dateStyle: "medium",
    timeStyle: "medium",
  }).format(new Date(text));
}

/** How long ago by this computer's clock; clocks differ a little, so never in the future. */
export function ago(text) {
  return secondsAgo(Math.max(0, (Date.now() - Date.parse(text)) / 1000));
}

/** So many seconds ago, as `5 sec. ago`. */
export function secondsAgo(seconds) {
  const [unit, size] = STEPS.find((step) => seconds >= step[1]) ?? STEPS.at(-1);
  const format = new Intl.RelativeTimeFormat(languageTag(), { numeric: "always", style: "short" });
  return format.format(-Math.floor(seconds / size), unit);
}

/** A length of time in its two largest units, as `1 hr 5 min`. */
export function duration(seconds) {
  let rest = Math.round(seconds);
  const parts = [];
  for (const [unit, size] of STEPS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && parts.length < 2) parts.push(inUnit(count, unit));
  }
  return parts.length > 0 ? parts.join(" ") : inUnit(0, "second");
}

function inUnit(count, unit) {
  const options = { style: "unit", unit, unitDisplay: "short" };
  return new Intl.NumberFormat(languageTag(), options).format(count);
}

/** A number with its thousands grouped. */
export function count(number) {
  return new Intl.NumberFormat(languageTag()).format(number ?? 0);
}

/** A share of one, as `87 %`. */
export function percent(ratio) {
  return new Intl.NumberFormat(languageTag(), { style: "percent" }).format(ratio);
}
