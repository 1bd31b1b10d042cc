// The line as a slider in false alarms a day: what the last days would have brought is said before it is let go.

import { say, send } from "./send.js";

async function begin(slider) {
  const sliding = slider.querySelector(".sliding"), range = slider.querySelector("input");
  const output = slider.querySelector("output"), preview = slider.querySelector(".preview");
  const button = slider.querySelector(".begin");
  button.disabled = true;
  button.textContent = "Looking at the last days …";
  let lines;
  try {
    lines = await send(`GET ${slider.dataset.line}`);
  } catch (error) {
    say(error.message, true);
    button.disabled = false;
    button.textContent = "Change it";
    return;
  }
  button.hidden = true;
  sliding.hidden = false;
  range.max = lines.length - 1;
  const asked = Number(slider.dataset.asked);
  range.value = lines.reduce((best, line, number) =>
    Math.abs(Math.log(line.asked_per_day / asked)) < Math.abs(Math.log(lines[best].asked_per_day / asked)) ? number : best, 0);
  const show = () => {
    const line = lines[range.value];
    output.textContent = line.rate;
    range.setAttribute("aria-valuetext", line.rate);
    preview.textContent = line.words;
  };
  range.addEventListener("input", show);
  show();
  range.focus();
  slider.querySelector(".leave").addEventListener("click", () => {
    sliding.hidden = true;
    button.hidden = button.disabled = false;
    button.textContent = "Change it";
    button.focus();
  }, { once: true });
  slider.querySelector(".keep").onclick = async (event) => {
    event.target.disabled = true;
    try {
      const profile = slider.dataset.profile;
      await send(slider.dataset.put, { false_alarms_per_day: lines[range.value].asked_per_day, ...(profile ? { profile } : {}) });
      location.reload();
    } catch (error) {
      say(error.message, true);
      event.target.disabled = false;
    }
  };
}

for (const slider of document.querySelectorAll(".slider")) {
  slider.querySelector(".begin").addEventListener("click", () => begin(slider));
}
