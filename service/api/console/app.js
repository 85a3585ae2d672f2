// The page: signs in, asks the service every few seconds, and shows what it says.

import * as api from "./api.js";
import { CameraDialog, CameraList } from "./cameras.js";
import { OrderDialog } from "./detail.js";
import { element, show } from "./dom.js";
import { moment } from "./format.js";
import { OrderList } from "./orders.js";
import { KeyDialog } from "./keys.js";
import { Pages } from "./pages.js";
import { StatisticsDialog } from "./statistics.js";
import { UserDialog } from "./users.js";
import { WebhookDialog } from "./webhooks.js";
import { chooseLanguage, learnCategories, named, translateDocument, word } from "./words.js";

const POLL_MS = 3_000;
const MAX_POLL_MS = 30_000;
const PAGE_SIZE = 30;
const WAITING = new Set(["received"]);
const IN_WORK = new Set(["dispatched", "accepted", "in_progress", "reopened"]);
const DONE = new Set(["resolved", "verified", "closed"]);

const part = (id) => document.getElementById(id);
const cameraList = new CameraList(part("cameras"), (camera) => cameraDialog.open(camera));
const cameraDialog = new CameraDialog(part("camera"));
const orderList = new OrderList(part("orders"));
const orderDialog = new OrderDialog(part("order"), { onChange: () => poll(), onClose: leaveOrder });
const userDialog = new UserDialog(part("users"));
const pages = new Pages({
  "#/statistics": page(new StatisticsDialog(part("statistics"), () => state.cameras ?? []), "read"),
  "#/webhooks": page(new WebhookDialog(part("webhooks")), "subscribe"),
  "#/keys": page(new KeyDialog(part("keys")), "manage"),
  "#/users": page(userDialog, "manage"),
});

function page(made, needs) {
  return { page: made, dialog: made.dialog, button: part(`show-${made.dialog.id}`), needs };
}

/** All that the page knows; everything visible follows from it. */
const state = {
  signedIn: false,
  who: null,
  cameras: null,
  orders: null,
  older: [],
  cursor: null,
  freshAt: null,
  failures: 0,
  problem: null,
};
let timer = 0;
let polling = null;

start();

async function start() {
  translateDocument();
  listen();
  offerSingleSignOn();
  const key = keyFromAddress();
  if (key) await trySignIn(key);
  else await poll();
}

function listen() {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => switchLanguage(button.dataset.language));
  }
  part("sign-in-form").addEventListener("submit", submitKey);
  part("sign-out").addEventListener("click", leave);
  part("more").addEventListener("click", loadOlder);
  window.addEventListener("hashchange", addressChanged);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && state.signedIn) poll();
  });
}

/** Without an answer the form is there all the same: the next request tells what is wrong. */
async function offerSingleSignOn() {
  const label = await api.singleSignOn().catch(() => null);
  show(part("sign-in-elsewhere"), label !== null, label ?? "");
}

/** `#key=…` signs in once; it must not stay in the address bar or the history. */
function keyFromAddress() {
  const match = /^#key=(.+)$/.exec(location.hash);
  if (!match) return null;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return match[1];
  }
}

async function addressChanged() {
  const key = keyFromAddress();
  if (key) await trySignIn(key);
  else await followAddress();
}

async function submitKey(event) {
  event.preventDefault();
  const field = part("key");
  const key = field.value.trim();
  const name = part("user-name").value.trim();
  const password = part("password").value;
  if (key) await trySignIn(key);
  else if (name && password) await tryPassword(name, password);
  else show(part("sign-in-error"), true, word("signInMissing"));
  if (state.signedIn) for (const each of [field, part("password")]) each.value = "";
}

async function trySignIn(key) {
  await begin(() => api.signIn(key), "keyRefused");
}

async function tryPassword(name, password) {
  await begin(() => api.signInByName(name, password), "passwordRefused");
}

async function begin(signIn, refused) {
  show(part("sign-in-error"), true, "");
  try {
    await signIn();
  } catch (error) {
    askForKey(signInProblem(error, refused));
    return;
  }
  await poll();
}

function signInProblem(error, refused) {
  if (error.status === 0) return word("unreachableAtFirst");
  if (error.status === 403) return word("keyMayNotRead");
  if (error.status >= 500) return word("serviceFailed", { reason: error.message });
  if (error.status === 429) return word("tooManyAttempts");
  return word(refused);
}

function askForKey(message) {
  clearTimeout(timer);
  state.signedIn = false;
  state.who = null;
  Object.assign(state, { cameras: null, orders: null, older: [], cursor: null, problem: null });
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  render();
  show(part("sign-in-error"), true, message);
  part("key").focus();
}

async function leave() {
  try {
    await api.signOut();
  } catch (error) {
    if (error.status !== 401) {
      state.problem = error;
      render();
      return;
    }
  }
  askForKey("");
}

/** Asks now; the next question follows by itself, later and later while there is no answer. */
function poll() {
  clearTimeout(timer);
  polling ??= ask().finally(() => {
    polling = null;
    const wait = Math.min(POLL_MS * 2 ** state.failures, MAX_POLL_MS);
    if (state.signedIn || state.problem) timer = setTimeout(pollIfSeen, wait);
  });
  return polling;
}

function pollIfSeen() {
  if (document.hidden) timer = setTimeout(pollIfSeen, POLL_MS);
  else poll();
}

async function ask() {
  try {
    if (!state.who) {
      const who = await api.whoAmI();
      learnCategories(await api.categories());
      state.who = who;
    }
    orderDialog.who = userDialog.who = state.who;
    const [cameras, page] = await Promise.all([api.cameras(), api.orders(PAGE_SIZE)]);
    take(cameras, page);
  } catch (error) {
    fail(error);
    return;
  }
  render();
  await followAddress();
  if (orderDialog.shown) await orderDialog.refresh();
  await pages.refresh();
}

function take(cameras, page) {
  state.signedIn = true;
  state.cameras = cameras;
  state.orders = page.items;
  if (state.older.length === 0) state.cursor = page.has_more ? page.next_cursor : null;
  state.freshAt = new Date();
  state.failures = 0;
  state.problem = null;
}

function fail(error) {
  if (error.status === 401) {
    askForKey(state.signedIn ? word("sessionEnded") : "");
  } else if (error.status === 403) {
    askForKey(word("keyMayNotRead"));
  } else {
    state.failures += 1;
    state.problem = error;
    render();
  }
}

async function loadOlder() {
  const button = part("more");
  button.disabled = true;
  try {
    const page = await api.orders(PAGE_SIZE, state.cursor);
    state.older.push(...page.items);
    state.cursor = page.has_more ? page.next_cursor : null;
  } catch (error) {
    fail(error);
  }
  button.disabled = false;
  render();
}

/** `#/orders/ID` shows an order, so that it can be linked to and the back button works. */
async function followAddress() {
  if (state.signedIn) await pages.follow();
  const match = /^#\/orders\/(.+)$/.exec(location.hash);
  const wanted = match ? decodeURIComponent(match[1]) : null;
  if (wanted === orderDialog.shown || !state.signedIn) return;
  if (wanted) await orderDialog.open(wanted);
  else if (orderDialog.shown) part("order").close();
}

function leaveOrder() {
  if (!location.hash.startsWith("#/orders/")) return;
  const id = decodeURIComponent(location.hash.slice("#/orders/".length));
  history.pushState(null, "", location.pathname + location.search);
  document.querySelector(`[data-order="${CSS.escape(id)}"] a`)?.focus();
}

function switchLanguage(language) {
  chooseLanguage(language);
  translateDocument();
  render();
  orderDialog.render();
  pages.render();
}

/** Orders in the order of the list; one that moved between two pages is shown once. */
function allOrders() {
  const seen = new Map();
  for (const order of [...state.older, ...(state.orders ?? [])]) seen.set(order.order_id, order);
  return [...seen.values()].sort((a, b) => b.number - a.number);
}

function render() {
  show(part("sign-in"), !state.signedIn && !state.problem);
  show(part("main"), state.signedIn);
  show(part("sign-out"), state.signedIn);
  const who = state.who;
  show(part("who"), state.signedIn && Boolean(who), who ? `${who.name} · ${named("role", who.role)}` : "");
  pages.offer(state.signedIn ? who : null);
  renderProblem();
  if (!state.signedIn || state.orders === null) return;
  const orders = allOrders();
  cameraList.update(state.cameras);
  cameraDialog.update(state.cameras);
  orderList.update(orders);
  show(part("cameras-empty"), state.cameras.length === 0, word("noCameras"));
  show(part("orders-empty"), orders.length === 0, word("noOrders"));
  show(part("orders-count"), orders.length > 0, word("shownOrders", { n: orders.length }));
  show(part("more"), Boolean(state.cursor));
  renderFigures(orders);
}

function renderProblem() {
  const error = state.problem;
  const live = part("live");
  live.className = `live ${error ? "stale" : "fresh"}`;
  show(live, state.signedIn, error ? word("stale") : word("live"));
  show(part("alert"), Boolean(error), error ? problemText(error) : "");
}

function problemText(error) {
  if (error.status !== 0) return word("serviceFailed", { reason: error.message });
  if (!state.freshAt) return word("unreachableAtFirst");
  return word("unreachable", { time: moment(state.freshAt) });
}

function renderFigures(orders) {
  const online = state.cameras.filter((camera) => camera.state === "online").length;
  const among = (statuses) => orders.filter((order) => statuses.has(order.status)).length;
  const shown = word("amongShown", { n: orders.length });
  const figures = [
    ["camerasOnline", word("ofTotal", { n: online, total: state.cameras.length }), ""],
    ["waiting", String(among(WAITING)), shown],
    ["inWork", String(among(IN_WORK)), shown],
    ["done", String(among(DONE)), shown],
  ];
  part("figures").replaceChildren(...figures.map((each) => figure(...each)));
}

function figure(key, value, scope) {
  const name = element("dt", {}, word(key), scope ? element("small", {}, scope) : null);
  return element("div", { "data-figure": key }, name, element("dd", {}, value));
}
