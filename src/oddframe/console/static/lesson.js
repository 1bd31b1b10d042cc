// What a review would teach the camera of an event: tried first, then taught.

import { say, send } from "./send.js";

export class Lesson {
  // give(verdict): say it, with this scope; true once the site has it.
  constructor(event, give) {
    this.event = event;
    this.give = give;
    this.room = document.getElementById("teach");
    this.told = document.getElementById("told");
    this.tries = this.room.querySelector("[data-try]");
    this.teaches = this.room.querySelector("[data-teach]");
    this.mine = this.room.dataset.mine ?? null;
    this.asked = 0;
    this.given = this.choice;
    this.isTaught = send(`GET /api/v1/cameras/${this.room.dataset.camera}/lessons`)
      .then((lessons) => lessons.some((one) => one.event === event), () => false);
    this.tries.addEventListener("click", () => this.try());
    this.teaches.addEventListener("click", () => this.teach());
    this.room.addEventListener("change", () => this.name());
    this.name();
  }

  get verdict() { return this.mine === "alarm" ? "alarm" : "normal"; }

  get choice() { return [...this.room.querySelectorAll("[name]")].map((field) => field.value).join(" "); }

  get scope() {
    const of = (name) => this.room.querySelector(`[name=${name}]`).value;
    const scope = { reach: of("reach") };
    if (of("begin")) scope.begin = of("begin");
    if (of("end")) scope.end = of("end");
    if ("begin" in scope !== "end" in scope) throw new Error("say both from when and to when “normal” holds, or neither");
    return scope;
  }

  // A choice was made: what was told before does not hold for it.
  name() {
    this.asked += 1;
    this.told.replaceChildren();
    this.teaches.hidden = true;
    this.tries.textContent = `What would “${this.verdict}” do?`;
    this.teaches.textContent = `Teach it: ${this.verdict}`;
  }

  // What was taught follows what is said, also where it is taken back; what was not taught is only tried.
  async said(verdict) {
    this.mine = verdict;
    this.given = this.choice;
    this.name();
    if (await this.isTaught) await this.carryOut();
    else if (verdict === "normal" || verdict === "alarm") await this.try();
  }

  async try() {
    this.name();
    const asked = this.asked;
    this.tell("It is tried on the last events…");
    try {
      const preview = await send(`POST /api/v1/events/${this.event}/preview`, { verdict: this.verdict, scope: this.scope });
      if (asked !== this.asked) return;
      this.show(preview);
      this.teaches.hidden = preview.does === "nothing";
    } catch (error) {
      if (asked === this.asked) this.tell(error.message);
    }
  }

  async teach() {
    this.teaches.toggleAttribute("disabled", true);
    try {
      const verdict = this.verdict, anew = this.mine !== verdict || this.given !== this.choice;
      this.isTaught = Promise.resolve(true); // what is said from here on is taught at once
      if (anew) { if (!await this.give(verdict)) await this.look(); } else await this.carryOut();
    } catch (error) { say(error.message, true); } finally { this.teaches.toggleAttribute("disabled", false); }
  }

  async carryOut() {
    try {
      const done = await send(`POST /api/v1/events/${this.event}/teach`);
      this.name();
      const forgotten = done.note ? `Forgotten: ${done.note}. ` : "Forgotten. ";
      if (done.does === "nothing") this.tell(`What it was taught follows what is said: ${done.note}.`);
      else this.show(done, { lesson: "Taught. ", weights: "Taught. ", forgets: forgotten }[done.does]);
    } catch (error) { say(error.message, true); }
    await this.look();
  }

  async look() {
    const lessons = await send(`GET /api/v1/cameras/${this.room.dataset.camera}/lessons`).catch(() => []);
    this.isTaught = Promise.resolve(lessons.some((one) => one.event === this.event));
  }

  tell(words) {
    const line = document.createElement("p");
    line.textContent = words;
    this.told.replaceChildren(line);
  }

  // Alarms that would be lost stand first.
  show(preview, before = "") {
    this.tell(before + preview.words);
    if (!preview.silenced.length) return;
    const list = document.createElement("ul");
    list.className = "rows";
    for (const [number, one] of preview.silenced.slice(0, 8).entries()) {
      const row = document.createElement("li"), link = document.createElement("a"), what = document.createElement("span");
      link.href = `/events/${one.event}`;
      link.textContent = preview.moments[number];
      what.className = `verdict ${one.verdict ?? "none"}`;
      what.textContent = one.verdict ?? "not reviewed";
      row.append(link, what);
      list.append(row);
    }
    this.told.append(list);
    if (preview.silenced.length > 8) {
      const more = document.createElement("p");
      more.className = "quiet";
      more.textContent = `and ${preview.silenced.length - 8} more`;
      this.told.append(more);
    }
  }
}
