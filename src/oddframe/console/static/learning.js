// A camera is asked to learn, to stop, to become better by reviews, and told what in its video is not normal.

import { say, send } from "./send.js";

const room = document.getElementById("learning"), form = document.getElementById("learn");
const camera = `/api/v1/cameras/${room.dataset.camera}`;
const path = `${camera}/learning`, better = `${camera}/improvement`;

async function ask(button, what, body) {
  button?.toggleAttribute("disabled", true);
  try {
    await send(what, body);
    location.reload();
  } catch (error) {
    say(error.message, true);
    button?.toggleAttribute("disabled", false);
  }
}

room.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.do) ask(button, `PUT ${path}`, { do: button.dataset.do });
  if (button?.dataset.better === "begin") ask(button, `POST ${better}`);
  else if (button?.dataset.better) ask(button, `PUT ${better}`, { do: button.dataset.better });
  if (button?.dataset.leaveOut) ask(button, `POST ${path}/left-out`, { numbers: [Number(button.dataset.leaveOut)] });
});

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = form.elements;
  const recordings = given.recordings.value.trim();
  ask(event.submitter, `POST ${path}`, {
    ...(recordings ? { recordings: [recordings] } : { for: given.for.value }),
    preset: given.preset.value,
    false_alarms_per_day: Number(given.false_alarms_per_day.value),
  });
});
