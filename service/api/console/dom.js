// Building elements. Text only ever enters the page as text nodes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties, `aria-*`/`data-*` attributes, listeners (`onclick`) and children. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && !name.includes("-")) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Shows or hides `node`, and sets its text if some is given. */
export function show(node, visible, text) {
  node.hidden = !visible;
  if (text !== undefined) setText(node, text);
}

/** Sets a text only if it changed, so that nothing is announced twice. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Puts `wanted` into `list` in this order, moving only what is in the wrong place. */
export function arrange(list, wanted) {
  const kept = new Set(wanted);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}

/** A line drawing; decoration only, so hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.other);
  svg.append(path);
  return svg;
}

const PATHS = {
  illegal_parking:
    "M5 11 7 6h10l2 5M4 11h16v6H4zM6 17v2m12-2v2M7.5 14h.01M16.5 14h.01",
  litter: "M5 7h14M9 7V4h6v3m-8 0 1 13h8l1-13M10 11v6m4-6v6",
  damaged_facility: "M12 3 2.5 20h19zM12 10v5m0 2.5v.01",
  other: "M12 3v12m0 4v.01",
  camera: "M3 8h11v9H3zm11 3 6-3v9l-6-3",
  play: "M8 5v14l11-7z",
  close: "M6 6l12 12M18 6 6 18",
};
