// Keeps an open page right: parts of it are asked for anew when something changed, also after a night.
// Forms and buttons with data-send are sent as JSON.

import { say, send } from "./send.js";

const look = document.querySelector('meta[name="look"]').content;
const banner = document.getElementById("connection");
const parts = [...document.querySelectorAll("[data-live]")];
const dirty = new Set();
let loading = false, alone = null, lost = null, sessionEnded = false;

function show(words, link) {
  if (!banner) return;
  banner.hidden = !words;
  banner.textContent = words || "";
  if (!link) return;
  const anchor = document.createElement("a");
  [anchor.href, anchor.textContent] = link;
  banner.append(" ", anchor);
}

const busy = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");

const before = new WeakMap(); // what a part had in it when it came

// What is open, focused or already loaded in a part stays so when the part is put in anew.
function put(part, html) {
  const template = document.createElement("template");
  template.innerHTML = html; // of this site alone, where all that people wrote is escaped
  const now = template.innerHTML.trim();
  if (now === (before.get(part) ?? part.innerHTML.trim())) return;
  before.set(part, now);
  const place = (element) => [...part.querySelectorAll("a, button, input, summary, [tabindex]")].indexOf(element);
  const focused = part.contains(document.activeElement) ? place(document.activeElement) : -1;
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  const images = new Map([...part.querySelectorAll("img[data-picture]")].map((one) => [one.dataset.picture, one]));
  for (const image of template.content.querySelectorAll("img[data-picture]")) {
    const known = images.get(image.dataset.picture);
    if (!known) continue;
    const words = known.parentElement.querySelector(".no-picture"), fresh = image.parentElement.querySelector(".no-picture");
    if (words && fresh) fresh.hidden = words.hidden;
    image.replaceWith(known);
  }
  part.replaceChildren(template.content);
  part.querySelectorAll("details").forEach((one, number) => { one.open = Boolean(open[number]); });
  if (focused >= 0) part.querySelectorAll("a, button, input, summary, [tabindex]")[focused]?.focus({ preventScroll: true });
  if (part.classList.contains("badge")) part.hidden = !part.textContent.trim();
  part.dispatchEvent(new CustomEvent("part", { bubbles: true }));
}

async function load() {
  if (loading || document.hidden) return;
  loading = true;
  try {
    while (dirty.size) {
      const part = [...dirty][0];
      dirty.delete(part);
      if (busy(part)) continue;
      const address = new URL(location.href);
      address.searchParams.set("part", part.dataset.live);
      const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401) { loggedOut(); return; }
      if (answer.status === 404) { show("What this page shows is no longer there."); continue; }
      if (answer.ok) put(part, await answer.text());
    }
  } catch { /* the stream says that the site is away */ } finally { loading = false; }
}

function refresh(which) {
  for (const part of parts) if (which(part)) dirty.add(part);
  load();
}

function loggedOut() {
  if (sessionEnded) return;
  const there = encodeURIComponent(location.pathname + location.search);
  show("You are logged out. What you have typed is kept in this browser.", [`/login?next=${there}`, "Log in"]);
  sessionEnded = true;
}
document.addEventListener("logged-out", loggedOut);

function takes(part, kinds) {
  if (part.classList.contains("badge")) return kinds.includes("event") || kinds.includes("review");
  return (part.dataset.on || "").split(" ").some((kind) => kinds.includes(kind));
}

const handlers = {
  hello(message) {
    if (message.look !== look) {
      const typing = document.activeElement && document.activeElement.matches("input, textarea");
      if (!typing) { location.reload(); return; }
      show("The site was updated.", [location.href, "Load this page anew"]);
      return;
    }
    if (lost !== null && !sessionEnded) show("");
    lost = null;
    refresh(() => true); // what came between the page and this word
    document.documentElement.dataset.heard = "true";
  },
  changed(message) {
    const kinds = Object.keys(message.changes);
    if (kinds.includes("verdict")) kinds.push("review");
    refresh((part) => takes(part, kinds));
    for (const event of message.began) say(`New event: ${event.camera}`);
    document.dispatchEvent(new CustomEvent("changed", { detail: message }));
  },
  ended: loggedOut,
  away() {
    lost = lost || new Date();
    setTimeout(() => {
      if (lost && !sessionEnded) show(`No connection to the site since ${lost.toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false })}. This page shows how it was then.`);
    }, 4000);
  },
};

// One stream is enough for all pages of a browser, which has few connections: the page that holds the lock tells others.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("oddframe") : null;
const tell = (kind, message) => { handlers[kind](message); channel?.postMessage({ kind, message }); };
if (channel) channel.onmessage = (event) => handlers[event.data.kind]?.(event.data.message);

function listen() {
  const source = new EventSource("/events-stream");
  for (const kind of ["hello", "changed", "ended"]) {
    source.addEventListener(kind, (event) => {
      const message = JSON.parse(event.data);
      if (kind === "ended") source.close();
      tell(kind, message);
    });
  }
  source.onerror = () => {
    tell("away", null);
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    fetch("/api/v1/session", { headers: { Accept: "application/json" } }).then((answer) => {
      if (answer.status === 401) tell("ended", null); else setTimeout(listen, 10000);
    }).catch(() => setTimeout(listen, 5000));
  };
  alone = source;
}

// Who still has a one-time password has no pages to go to, and is told nothing.
if (banner && document.querySelector("nav ul")) {
  if (navigator.locks) navigator.locks.request("oddframe-stream", () => new Promise(listen)); else listen();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(() => true); });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  addEventListener("pagehide", () => alone?.close());
  for (const part of parts) {
    if (part.dataset.every) setInterval(() => { if (!document.hidden) refresh((one) => one === part); }, 1000 * part.dataset.every);
  }
}

function values(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || "notSent" in field.dataset || ("optional" in field.dataset && !field.value)) continue;
    const value = field.type === "checkbox" ? field.checked : "number" in field.dataset ? Number(field.value) : field.value;
    const [entry, within] = field.name.split(".");
    if (within) (found[entry] ??= {})[within] = value; else found[entry] = value;
  }
  return found;
}

function secret(of, text) {
  const dialog = document.createElement("dialog");
  const words = document.createElement("p"), code = document.createElement("code"), close = document.createElement("button");
  words.textContent = `This ${of === "password" ? "password" : "token"} is shown once. Copy it now.`;
  code.textContent = text;
  code.className = "secret";
  close.textContent = "I have it";
  close.className = "button first";
  close.addEventListener("click", () => { dialog.close(); location.reload(); });
  dialog.addEventListener("cancel", () => location.reload());
  dialog.append(words, code, close);
  document.body.append(dialog);
  dialog.showModal();
}

async function ask(element, body) {
  if (element.dataset.sure && !confirm(element.dataset.sure)) return;
  element.toggleAttribute("aria-busy", true);
  try {
    const answer = await send(element.dataset.send, body);
    const shows = element.dataset.shows;
    if (shows) { secret(shows, answer[shows]); return; }
    const then = element.dataset.then;
    if (then) location.assign(then.replace("{name}", encodeURIComponent(body?.name ?? "")));
    else location.reload();
  } catch (error) {
    say(error.message, true);
  } finally {
    element.removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-send]");
  if (button) ask(button, button.dataset.json === undefined ? undefined : JSON.parse(button.dataset.json));
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("submit", (event) => {
  if (!event.target.dataset.send) return;
  event.preventDefault();
  ask(event.target, values(event.target));
});
document.addEventListener("change", (event) => {
  const select = event.target;
  if (select.matches("select[data-send]")) ask(select, { [select.dataset.name]: select.value });
});
