// Talking to the dispatch service. The session cookie is HttpOnly: this code never sees it.

const BASE = "api/v1/";
/** Longer than a test event may take. */
const TIMEOUT_MS = 20_000;

/** An answer that is not a success; `status` 0 means that there was no answer at all. */
export class ServiceError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(path, options = {}) {
  const answer = await send(path, options);
  if (!answer.ok) throw new ServiceError(answer.status, await reasonOf(answer));
  return answer.status === 204 ? null : answer.json();
}

async function send(path, { method = "GET", body, headers = {} }) {
  const init = { method, credentials: "same-origin", cache: "no-store", headers: { ...headers } };
  init.headers.Accept = "application/json";
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(BASE + path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new ServiceError(0, error.message);
  }
}

/** The service answers errors as problem+json; a proxy in front of it may not. */
async function reasonOf(answer) {
  try {
    const problem = await answer.json();
    return problem.detail ?? problem.title ?? String(answer.status);
  } catch {
    return `${answer.status} ${answer.statusText}`.trim();
  }
}

/** Begins a session: the service sets its cookie. */
export function signIn(key) {
  return request("session", { method: "POST", body: { api_key: key } });
}

/** Begins a session of a user. */
export function signInByName(name, password) {
  return request("session", { method: "POST", body: { name, password } });
}

/** What the button of single sign-on says, or null where there is none. */
export async function singleSignOn() {
  return (await request("session/oidc/ways")).label;
}

/** Who is signed in and what they may do. */
export function whoAmI() {
  return request("session");
}

/** Ends the session. */
export function signOut() {
  return request("session", { method: "DELETE" });
}

/** All cameras. */
export async function cameras() {
  return (await request("cameras")).items;
}

/** A page of orders, newest first: `{items, next_cursor, has_more}`. */
export function orders(limit, cursor) {
  const query = new URLSearchParams({ limit });
  if (cursor) query.set("cursor", cursor);
  return request(`work-orders?${query}`);
}

/** One order with its evidence and history. */
export function order(id) {
  return request(`work-orders/${encodeURIComponent(id)}`);
}

/** Changes the status, unless the order is no longer the one that was seen; `why` explains it. */
export function changeStatus(seen, status, why = {}) {
  return request(`work-orders/${encodeURIComponent(seen.order_id)}`, {
    method: "PATCH",
    headers: { "If-Match": `"${seen.version}"` },
    body: { status, ...why },
  });
}

/** Gives an order the category that was suggested, unless it is no longer the one that was seen. */
export function acceptSuggestion(seen) {
  return request(`work-orders/${encodeURIComponent(seen.order_id)}/accept-suggestion`, {
    method: "POST",
    headers: { "If-Match": `"${seen.version}"` },
  });
}

/** The newest orders of a category that are not over. */
export async function openOrders(category, statuses) {
  const query = new URLSearchParams({ limit: 100, category });
  for (const status of statuses) query.append("status", status);
  return (await request(`work-orders?${query}`)).items;
}

/** The city's departments. */
export async function departments() {
  return (await request("departments")).items;
}

/** The city's categories. */
export async function categories() {
  return (await request("categories")).items;
}

/** Figures on the orders made since then, of one category or status if given. */
export function statistics(since, { category, status }) {
  const query = new URLSearchParams({ created_since: since });
  if (category) query.set("category", category);
  if (status) query.set("status", status);
  return request(`statistics?${query}`);
}

/** All API keys, without the keys themselves. */
export async function keys() {
  return (await request("keys")).items;
}

/** Makes a key; the answer holds it, this one time. */
export function makeKey(values) {
  return request("keys", { method: "POST", body: values });
}

/** Replaces a key; the old one is valid for a day. */
export function rotateKey(name) {
  return request(`keys/${encodeURIComponent(name)}/rotate`, { method: "POST", body: {} });
}

/** Ends a key at once. */
export function revokeKey(name) {
  return request(`keys/${encodeURIComponent(name)}`, { method: "DELETE" });
}

/** All users. */
export async function users() {
  return (await request("users")).items;
}

/** Lets somebody sign in; the answer holds their password, this one time. */
export function makeUser(values) {
  return request("users", { method: "POST", body: values });
}

/** Changes role and departments, or `disabled`. */
export function changeUser(id, change) {
  return request(`users/${encodeURIComponent(id)}`, { method: "PATCH", body: change });
}

/** Makes another password; the answer holds it, this one time. */
export function resetPassword(id) {
  return request(`users/${encodeURIComponent(id)}/password`, { method: "POST", body: {} });
}

/** All webhook subscriptions. */
export async function subscriptions() {
  return (await request("subscriptions")).items;
}

/** The newest deliveries of a subscription, of one state if given. */
export async function deliveries(id, state) {
  const query = new URLSearchParams({ limit: 50 });
  if (state) query.set("state", state);
  return (await request(`${subscription(id)}/deliveries?${query}`)).items;
}

/** One delivery with every attempt. */
export function delivery(id, deliveryId) {
  return request(`${subscription(id)}/deliveries/${deliveryId}`);
}

/** Sends a delivery again that was given up. */
export function retryDelivery(id, deliveryId) {
  return request(`${subscription(id)}/deliveries/${deliveryId}/retry`, { method: "POST" });
}

/** Sends everything again that was given up: `{count}`. */
export function retryDead(id) {
  return request(`${subscription(id)}/deliveries/retry?state=dead`, { method: "POST" });
}

/** Sends a test event and tells what the receiver answered. */
export function testSubscription(id) {
  return request(`${subscription(id)}/test`, { method: "POST" });
}

/** Lets a subscription that rests, or was disabled, go on. */
export function activate(id) {
  return request(subscription(id), { method: "PATCH", body: { active: true } });
}

function subscription(id) {
  return `subscriptions/${encodeURIComponent(id)}`;
}

/** Address of a camera's latest picture; another one for each picture, so that it is fetched. */
export function snapshotUrl(camera) {
  const version = encodeURIComponent(camera.snapshot_at ?? "");
  return `${BASE}cameras/${encodeURIComponent(camera.camera_id)}/snapshot?at=${version}`;
}
