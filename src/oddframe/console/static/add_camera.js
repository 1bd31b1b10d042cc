// A camera is tried before it is added: its picture is shown, or why there is none.

import { say, send, sentence } from "./send.js";

const form = document.getElementById("add-camera"), trial = document.getElementById("trial"), keep = document.getElementById("keep");
let tried = "";

function show(...children) { trial.replaceChildren(...children); }
function words(text, name = "") {
  const p = document.createElement("p");
  p.className = name;
  p.textContent = text;
  return p;
}

async function attempt(address) {
  keep.hidden = true;
  form.querySelector("[value=try]").classList.add("first");
  show(words("Looking at it: this takes up to ten seconds …", "quiet waits"));
  try {
    const found = await send("POST /api/v1/cameras/trial", { address });
    tried = address;
    const children = [];
    if (found.picture) {
      const image = document.createElement("img");
      image.src = found.picture;
      image.alt = "what this camera sees";
      children.push(image);
    }
    children.push(words(found.words));
    show(...children);
    keep.hidden = false;
    form.querySelector("[value=try]").classList.remove("first"); // adding it comes next
    form.elements.name.focus();
  } catch (error) { show(words(`${sentence(error.message)}.`, "notice bad")); }
}

form.elements.address.addEventListener("input", () => { if (form.elements.address.value !== tried) keep.hidden = true; });
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const address = form.elements.address.value.trim(), button = event.submitter;
  if (!address) return;
  button?.toggleAttribute("disabled", true);
  try {
    if (keep.hidden || address !== tried) await attempt(address);
    else {
      const name = form.elements.name.value.trim();
      if (!name) { say("Give it a name.", true); form.elements.name.focus(); return; }
      await send("POST /api/v1/cameras", { name, address });
      location.assign(`/cameras/${encodeURIComponent(name)}`);
    }
  } catch (error) { say(error.message, true); } finally { button?.toggleAttribute("disabled", false); }
});
