// What an order gets to see: pictures from the first sight to the last, a film, the signed list.

import { element, icon, setText } from "./dom.js";
import { moment } from "./format.js";
import { named, word } from "./words.js";

/** In the order of the story: first seen, confirmed, the film of it, latest sight, after. */
const STORY = [
  "first-wide", "first-close", "opened-wide", "opened-close", "clip", "latest-wide",
  "latest-close", "cleared-wide", "opened-clean",
];
/** A citizen's own picture, blurred. */
const REPORT = "report";
const SHOWN_FIRST = "opened-wide";
const FILM = "video/mp4";
const LIST = "application/json";

/** `latest-wide-3` → `["latest-wide", 3]`. */
function kindOf(name) {
  const found = /^(.*?)(?:-(\d+))?$/.exec(name);
  return [found[1], Number(found[2] ?? 1)];
}

/** The files to show, in the order of the story; of several of a kind only the newest. */
export function shownFiles(order) {
  const newest = new Map();
  for (const file of order.evidence ?? []) {
    const [kind, number] = kindOf(file.name);
    const known = newest.get(kind);
    if (!known || kindOf(known.name)[1] < number) newest.set(kind, file);
  }
  const rank = (file) => {
    const index = STORY.indexOf(kindOf(file.name)[0]);
    return index < 0 ? STORY.length : index;
  };
  return [...newest.values()].filter((file) => file.content_type !== LIST).sort((a, b) => rank(a) - rank(b));
}

/** The one in full before anybody has chosen. */
export function firstShown(files) {
  return files.find((file) => file.name === SHOWN_FIRST) ?? files[0];
}

/** What a file shows, in words. */
export function titleOf(file) {
  return file.name === REPORT ? word("citizensPhoto") : named("evidence", kindOf(file.name)[0]);
}

/** When it was taken, as far as the order says so; else when it arrived. */
function takenAt(file, order) {
  const stage = kindOf(file.name)[0].split("-")[0];
  const known = { first: order.started_at, opened: order.opened_at, cleared: order.cleared_at };
  return known[stage] ?? file.created_at;
}

/** A picture or film in full, with its caption. */
export function largeFile(file, order) {
  const caption = [titleOf(file), moment(takenAt(file, order))].join(" · ");
  const figcaption = element("figcaption", {}, caption);
  const onerror = () => setText(figcaption, word("evidenceMissing"));
  if (file.content_type === FILM) {
    const film = element("video", {
      src: file.url, controls: true, muted: true, preload: "metadata", "aria-label": caption,
    });
    film.playsInline = true;
    film.onerror = onerror;
    return element("figure", {}, film, figcaption);
  }
  const image = element("img", { src: file.url, alt: caption });
  image.onerror = onerror;
  const link = element("a", { href: file.url, target: "_blank", rel: "noopener" }, image);
  return element("figure", {}, link, figcaption);
}

/** A button that shows a file in full. */
export function choiceOf(file, isChosen, choose) {
  const preview =
    file.content_type === FILM
      ? element("span", { className: "film" }, icon("play"))
      : element("img", { src: file.url, alt: "", loading: "lazy" });
  return element(
    "button",
    { type: "button", className: "choice", "aria-pressed": String(isChosen), onclick: choose },
    preview,
    element("span", {}, titleOf(file)),
  );
}

/** The newest signed list of the files, to be kept with them; null without one. */
export function signedList(order) {
  const lists = (order.evidence ?? []).filter((file) => file.content_type === LIST);
  if (lists.length === 0) return null;
  const newest = lists.reduce((a, b) => (kindOf(a.name)[1] < kindOf(b.name)[1] ? b : a));
  return element(
    "p",
    { className: "hint" },
    element("a", { href: newest.url, download: `${order.number}-${newest.name}.json` }, word("signedList")),
  );
}
