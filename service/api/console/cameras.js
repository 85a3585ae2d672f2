// The cameras: latest annotated picture, state, and what went wrong.

import { snapshotUrl } from "./api.js";
import { arrange, element, icon, setText } from "./dom.js";
import { count, moment, secondsAgo } from "./format.js";
import { named, word } from "./words.js";

const STATES = new Set(["online", "fault", "offline", "connecting", "ended"]);

/** A list of camera cards that is updated in place, so that pictures do not flicker. */
export class CameraList {
  #cards = new Map();

  constructor(list, onEnlarge) {
    this.list = list;
    this.onEnlarge = onEnlarge;
  }

  /** Shows these cameras, and only these. */
  update(cameras) {
    const known = new Set(cameras.map((camera) => camera.camera_id));
    for (const id of this.#cards.keys()) if (!known.has(id)) this.#cards.delete(id);
    const cards = cameras.map((camera) => {
      const card = this.#cards.get(camera.camera_id) ?? new CameraCard(this.onEnlarge);
      this.#cards.set(camera.camera_id, card);
      card.update(camera);
      return card.node;
    });
    arrange(this.list, cards);
  }
}

class CameraCard {
  constructor(onEnlarge) {
    this.picture = new Picture();
    this.enlarge = element(
      "button",
      { type: "button", className: "picture", onclick: () => onEnlarge(this.camera) },
      this.picture.node,
    );
    this.name = element("h3");
    this.state = element("span");
    this.facts = element("dl", { className: "facts" });
    this.error = element("p", { className: "camera-error" });
    this.node = element(
      "li",
      { className: "camera" },
      this.enlarge,
      element("div", { className: "camera-head" }, this.name, this.state),
      this.facts,
      this.error,
    );
    this.picture.describe("");
    this.#watch();
  }

  /** Fetches pictures only while the card can be seen: a city has hundreds of cameras. */
  #watch() {
    this.inView = false;
    const watcher = new IntersectionObserver((entries) => {
      this.inView = entries.at(-1).isIntersecting;
      if (this.inView) this.picture.update(this.camera);
    });
    watcher.observe(this.node);
  }

  update(camera) {
    this.camera = camera;
    const title = camera.name || camera.camera_id;
    this.node.dataset.camera = camera.camera_id;
    this.enlarge.setAttribute("aria-label", word("enlarge", { name: title }));
    if (this.inView) this.picture.update(camera);
    setText(this.name, title);
    showState(this.state, camera.state);
    this.node.classList.toggle("dim", camera.state === "offline");
    this.facts.replaceChildren(...cameraFacts(camera));
    const trouble = troubleOf(camera);
    this.error.hidden = !trouble;
    setText(this.error, trouble);
  }
}

/** The picture of a camera; keeps the last one until the next has been loaded. */
export class Picture {
  constructor() {
    this.image = element("img", { alt: "", decoding: "async", hidden: true });
    this.missing = element("span", { className: "no-picture" });
    this.node = element("span", { className: "frame" }, this.image, this.missing);
    this.wanted = "";
  }

  describe(name) {
    this.image.alt = word("pictureOf", { name });
    this.missing.replaceChildren(icon("camera"), word("noPicture"));
  }

  update(camera) {
    this.describe(camera.name || camera.camera_id);
    if (!camera.snapshot_at) {
      this.#show(false);
      return;
    }
    const url = snapshotUrl(camera);
    if (url !== this.wanted) this.#load(url);
  }

  #load(url) {
    this.wanted = url;
    const next = new Image();
    next.onload = () => {
      if (this.wanted !== url) return;
      this.image.src = url;
      this.#show(true);
    };
    next.onerror = () => {
      // Asked for again with the next report.
      if (this.wanted === url) this.wanted = "";
    };
    next.src = url;
  }

  #show(present) {
    this.image.hidden = !present;
    this.missing.hidden = present;
  }
}

function troubleOf(camera) {
  if (camera.stale) return word("silent", { time: moment(camera.heard_at) });
  if (camera.state === "fault") return faultsOf(camera.last_error ?? "");
  return camera.state === "online" ? "" : (camera.last_error ?? "");
}

/** "camera fault: moved, sprayed" in the reader's words. */
function faultsOf(text) {
  const [start, kinds] = text.split(": ");
  if (start !== "camera fault" || !kinds) return text;
  return kinds
    .split(", ")
    .map((kind) => named("fault", kind))
    .join(" · ");
}

function showState(node, state) {
  node.className = `pill camera-${STATES.has(state) ? state : "offline"}`;
  setText(node, named("state", state));
}

/** What is known of a camera, as terms and values. */
export function cameraFacts(camera) {
  const facts = [
    ["lastFrame", camera.last_frame_at ? secondsAgo(camera.last_frame_age_s) : word("never")],
    ["drops", count(camera.drops)],
    ["reconnects", count(camera.reconnects)],
    ["looks", count(camera.looks)],
  ];
  return facts.map(([key, value]) => {
    const title = key === "lastFrame" ? moment(camera.last_frame_at) : undefined;
    return element("div", { title }, element("dt", {}, word(key)), element("dd", {}, value));
  });
}

/** Fills the dialog that shows one camera in large. */
export class CameraDialog {
  constructor(dialog) {
    this.dialog = dialog;
    this.picture = new Picture();
    this.title = element("h2", { id: "camera-title" });
    this.state = element("span");
    this.facts = element("dl", { className: "facts" });
    this.close = element(
      "button",
      { type: "button", className: "icon-button", onclick: () => dialog.close() },
      icon("close"),
    );
    dialog.append(
      element("header", {}, this.title, this.state, this.close),
      element("div", { className: "body" }, this.picture.node, this.facts),
    );
  }

  /** Opens it with this camera. */
  open(camera) {
    this.camera_id = camera.camera_id;
    this.picture.wanted = "";
    this.update([camera]);
    this.dialog.showModal();
  }

  /** Shows the newest state of its camera. */
  update(cameras) {
    const camera = cameras.find((each) => each.camera_id === this.camera_id);
    if (!camera) return;
    setText(this.title, camera.name || camera.camera_id);
    showState(this.state, camera.state);
    this.close.setAttribute("aria-label", word("close"));
    this.picture.update(camera);
    this.facts.replaceChildren(...cameraFacts(camera), ...moreFacts(camera));
  }
}

function moreFacts(camera) {
  const facts = [];
  if (camera.width_px) facts.push(["resolution", `${camera.width_px} × ${camera.height_px}`]);
  if (camera.model) facts.push(["model", camera.model]);
  return facts.map(([key, value]) =>
    element("div", {}, element("dt", {}, word(key)), element("dd", {}, value)),
  );
}
