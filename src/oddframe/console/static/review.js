// The queue: one event after the other, by keys. What was said is sent while the next one is already there.

import { kept, review, takeBack, typing } from "./reviews.js";
import { say, send } from "./send.js";

const page = document.getElementById("review");
const AHEAD = 3;

class Queue {
  constructor(items) {
    this.items = items;
    this.at = Math.max(0, items.findIndex((item) => !item.mine));
    this.done = [];
    this.sending = Promise.resolve();
    this.clips = new Map();
    this.may = page.dataset.may === "true";
    this.find = (id) => document.getElementById(id);
    this.taught = this.may ? this.findTaught() : null;
    this.film();
    this.show();
    kept.tidy();
  }

  get item() { return this.items[this.at]; }

  film() {
    const film = this.find("film");
    film.replaceChildren(...this.items.map((item, number) => {
      const li = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", item.title);
      if (item.files.snapshot) {
        const image = document.createElement("img");
        image.loading = "lazy";
        image.decoding = "async";
        image.alt = "";
        image.src = item.files.snapshot;
        button.append(image);
      }
      button.addEventListener("click", () => this.go(number));
      li.append(button);
      item.li = li;
      this.mark(item);
      return li;
    }));
  }

  mark(item) {
    const verdict = item.mine || item.verdict || "none";
    item.li.className = `${verdict}${item === this.item ? " at" : ""}`;
    item.li.firstChild.setAttribute("aria-label", `${item.title}: ${verdict === "none" ? "not reviewed" : verdict}`);
    item.li.firstChild.setAttribute("aria-current", item === this.item ? "true" : "false");
  }

  go(number) {
    if (number < 0 || number >= this.items.length) return;
    const before = this.item;
    this.at = number;
    this.mark(before);
    this.show();
  }

  next() {
    const after = this.items.findIndex((item, number) => number > this.at && !item.mine);
    const any = after >= 0 ? after : this.items.findIndex((item) => !item.mine);
    if (any >= 0) this.go(any); else { this.mark(this.item); this.show(); }
  }

  show() {
    const item = this.item;
    this.mark(item);
    item.li.scrollIntoView({ block: "nearest", inline: "center" });
    this.find("title").textContent = item.title;
    this.find("link").href = `/events/${item.id}`;
    this.find("facts").replaceChildren(...item.facts.map(([what, how]) => {
      const row = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = what;
      dd.textContent = how;
      row.append(dt, dd);
      return row;
    }));
    this.said();
    this.looks();
    this.progress();
    if (!this.may) return;
    this.find("tried").textContent = "";
    this.find("teach-link").href = `/events/${item.id}`;
    const before = kept.get(item.id);
    this.find("note").value = before ? before.note : item.note;
    this.find("class").value = before ? before.what : item.class;
    this.find("note-said").textContent = before ? "This is what you had typed and not sent." : "";
    const alike = this.alike(item).length;
    this.find("bulk-label").hidden = alike === 0;
    this.find("bulk").checked = false;
    this.find("bulk-words").textContent = `say the same of ${alike} more at the same place`;
  }

  said() {
    const item = this.item, of = this.find("said-of-it");
    of.className = `verdict ${item.mine || item.verdict || "none"}`;
    of.textContent = item.mine ? `you say: ${item.mine}` : item.verdict ? `others say: ${item.verdict}` : "not reviewed";
    page.querySelectorAll("[data-verdict]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.verdict === item.mine)));
  }

  looks() {
    const item = this.item, heat = this.find("heat").checked;
    const picture = this.find("picture"), screen = picture.parentElement;
    const showsClip = item.files.clip && !heat;
    const kind = heat && item.files.heat ? "heat" : "snapshot";
    const old = screen.querySelector("video");
    if (showsClip) {
      const clip = this.clip(item);
      if (old !== clip) old.replaceWith(clip);
      clip.hidden = false;
      clip.currentTime = 0;
      clip.play().catch(() => { /* it plays when it has come */ });
    } else {
      old.pause();
      old.hidden = true;
    }
    picture.hidden = showsClip || !item.files[kind];
    if (!picture.hidden) {
      picture.src = item.files[kind];
      picture.alt = kind === "heat" ? "with heat where it is odd" : "at its oddest";
    }
    this.find("no-picture").hidden = Object.keys(item.files).length > 0;
    const near = new Set(this.items.slice(this.at, this.at + 1 + AHEAD));
    for (const ahead of near) if (ahead.files.clip) this.clip(ahead);
    for (const [known, clip] of this.clips) {
      if (near.has(known)) continue;
      clip.removeAttribute("src");
      clip.load();
      this.clips.delete(known);
    }
  }

  clip(item) {
    if (!this.clips.has(item)) {
      const clip = document.createElement("video");
      Object.assign(clip, { muted: true, loop: true, playsInline: true, preload: "auto", src: item.files.clip });
      clip.setAttribute("aria-label", item.title);
      this.clips.set(item, clip);
    }
    return this.clips.get(item);
  }

  progress() {
    const left = this.items.filter((item) => !item.mine && !item.verdict).length;
    this.find("progress").textContent = left ? `${left} of ${this.items.length} not reviewed` : "All of these are reviewed.";
    if (this.find("next-ones")) this.find("next-ones").hidden = left > 0;
  }

  alike(item) { return this.items.filter((one) => one !== item && one.group === item.group && !one.mine); }

  keep() {
    kept.set(this.item.id, this.find("note").value, this.find("class").value);
    this.find("note-said").textContent = "Kept in this browser until you say what it was.";
  }

  give(verdict) {
    if (!this.may) return;
    const item = this.item, note = this.find("note").value, what = this.find("class").value.trim();
    const of = [item, ...(this.find("bulk").checked ? this.alike(item) : [])];
    const before = of.map((one) => [one, one.mine, one.verdict]);
    for (const one of of) { one.mine = verdict; this.mark(one); }
    item.note = note;
    item.class = what;
    this.done.push(of);
    this.remember(what);
    this.send(of, before, (one) => review(one.id, verdict, { what, note: one === item ? note : "" }).then(() => kept.drop(one.id)));
    say(of.length > 1 ? `${of.length} events: ${verdict}` : `Said: ${verdict}`);
    this.next();
  }

  undo() {
    if (!this.may) return;
    const of = this.done.pop() || (this.item.mine ? [this.item] : null);
    if (!of) { say("There is nothing to take back here."); return; }
    const before = of.map((one) => [one, one.mine, one.verdict]);
    for (const one of of) { one.mine = null; this.mark(one); }
    this.send(of, before, (one) => takeBack(one.id));
    this.go(this.items.indexOf(of[0]));
    say(of.length > 1 ? `Taken back: ${of.length} events` : "Taken back");
  }

  // One after the other, in the order of the keys; what fails is marked as it was before.
  send(of, before, order) {
    this.sending = this.sending.then(async () => {
      for (const [one, mine, verdict] of before) {
        try {
          await order(one);
          await this.teachAnew(one);
        } catch (error) {
          say(`${one.title}: ${error.message}`, true);
          if (error.status === 404) { this.gone(one); continue; }
          Object.assign(one, { mine, verdict });
          this.mark(one);
          if (one === this.item) this.said();
        }
      }
      this.progress();
    });
  }

  // Events that have taught their camera something.
  async findTaught() {
    const found = new Set();
    for (const camera of new Set(this.items.map((item) => item.camera))) {
      try {
        const lessons = await send(`GET /api/v1/cameras/${encodeURIComponent(camera)}/lessons`);
        for (const one of lessons) found.add(one.event);
      } catch (error) { say(`${camera}: ${error.message}`, true); }
    }
    return found;
  }

  // What a camera was taught follows what is said.
  async teachAnew(item) {
    if (!(await this.taught).has(item.id)) return;
    try {
      const done = await send(`POST /api/v1/events/${item.id}/teach`);
      say(`${item.title}: ${done.words}`);
    } catch (error) { say(`${item.title}: said, but not taught: ${error.message}`, true); }
  }

  async try() {
    const item = this.item, tried = this.find("tried");
    tried.textContent = "It is tried on the last events…";
    const words = await send(`POST /api/v1/events/${item.id}/preview`, { verdict: "normal" })
      .then((preview) => preview.words, (error) => error.message);
    if (item === this.item) tried.textContent = words;
  }

  gone(item) {
    item.files = {};
    item.mine = "gone";
    item.li.classList.add("gone");
  }

  remember(what) {
    const known = this.find("classes");
    if (!what || [...known.options].some((option) => option.value === what)) return;
    const option = document.createElement("option");
    option.value = what;
    known.append(option);
  }

  // It no longer is what the filters say: somebody has reviewed it, or it was removed.
  async look(item) {
    const answer = await fetch(`/api/v1/events/${item.id}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) item.verdict = (await answer.json()).verdict;
    else if (answer?.status === 404) this.gone(item);
  }

  // What came, or was said by others, since the page was loaded.
  async refresh() {
    const address = new URL(location.href);
    address.searchParams.set("part", "queue");
    const answer = await fetch(address, { headers: { Accept: "application/json" }, redirect: "manual" }).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new Map((await answer.json()).map((item) => [item.id, item]));
    let more = false;
    for (const item of this.items) {
      const now = fresh.get(item.id);
      fresh.delete(item.id);
      if (item.mine) continue;
      if (now) Object.assign(item, { files: now.files, verdict: now.verdict, facts: now.facts, mine: now.mine });
      else await this.look(item);
      this.mark(item);
    }
    for (const item of fresh.values()) { this.items.push({ ...item, group: `new ${item.group}` }); more = true; }
    if (more) { this.film(); this.find("film").children[this.at].scrollIntoView({ block: "nearest", inline: "center" }); }
    this.said();
    this.progress();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { document.activeElement.blur(); return; }
    if (typing(event.target)) return;
    const act = {
      a: () => this.give("alarm"), n: () => this.give("normal"), u: () => this.give("unsure"), z: () => this.undo(),
      arrowright: () => this.go(this.at + 1), arrowleft: () => this.go(this.at - 1),
      h: () => { this.find("heat").click(); },
      b: () => { if (!this.find("bulk-label").hidden) this.find("bulk").click(); },
      c: () => this.find("class")?.focus(), t: () => this.find("note")?.focus(),
    }[event.key.toLowerCase()];
    if (!act || event.repeat && event.key.length === 1) return;
    event.preventDefault();
    act();
  }
}

if (page) {
  const queue = new Queue(JSON.parse(document.getElementById("queue").textContent));
  document.addEventListener("keydown", (event) => queue.key(event));
  page.addEventListener("click", (event) => {
    const button = event.target.closest(".verdicts button");
    if (!button) return;
    if (button.dataset.verdict) queue.give(button.dataset.verdict); else queue.undo();
  });
  document.getElementById("try")?.addEventListener("click", () => queue.try());
  document.getElementById("heat").addEventListener("change", () => queue.looks());
  for (const id of ["note", "class"]) document.getElementById(id)?.addEventListener("input", () => queue.keep());
  let soon = null;
  document.addEventListener("changed", () => {
    clearTimeout(soon);
    soon = setTimeout(() => queue.refresh(), 1000);
  });
  document.querySelectorAll("#filters select, #filters input").forEach((field) =>
    field.addEventListener("change", () => field.form.requestSubmit()));
}
