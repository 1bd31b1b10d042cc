// Reviewing one event on its own page.

import { kept, review, takeBack, typing } from "./reviews.js";
import { say } from "./send.js";
import { Lesson } from "./lesson.js";

const panel = document.getElementById("say");
if (panel) {
  const event = panel.dataset.event;
  const what = panel.querySelector("[name=class]"), note = panel.querySelector("[name=note]");
  const told = document.getElementById("note-said");
  const before = kept.get(event);
  if (before && (before.note !== note.value || before.what !== what.value)) {
    note.value = before.note;
    what.value = before.what;
    told.textContent = "This is what you had typed and not sent.";
  }
  for (const field of [what, note]) field.addEventListener("input", () => {
    kept.set(event, note.value, what.value);
    told.textContent = "Kept in this browser until you say what it was.";
  });
  const lesson = document.getElementById("teach") ? new Lesson(event, (verdict) => give(verdict)) : null;
  const mark = (verdict) => panel.querySelectorAll("[data-verdict]").forEach((button) =>
    button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict)));
  const give = async (verdict) => {
    try {
      await review(event, verdict, { note: note.value, what: what.value.trim(), scope: lesson?.scope });
      kept.drop(event);
      told.textContent = "";
      mark(verdict);
      say(`Said: ${verdict}`);
      await lesson?.said(verdict);
      return true;
    } catch (error) {
      say(error.message, true);
      return false;
    }
  };
  const undo = async () => {
    try {
      await takeBack(event);
      mark(null);
      say("Taken back");
      await lesson?.said(null);
    } catch (error) { say(error.message, true); }
  };
  panel.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (button?.dataset.verdict) give(button.dataset.verdict); else if (button && "undo" in button.dataset) undo();
  });
  document.addEventListener("keydown", (key) => {
    if (key.ctrlKey || key.metaKey || key.altKey || typing(key.target)) return;
    const verdict = { a: "alarm", n: "normal", u: "unsure" }[key.key.toLowerCase()];
    if (verdict) give(verdict); else if (key.key.toLowerCase() === "z") undo();
  });
}
