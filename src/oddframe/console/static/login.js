// Logging in.

import { sentence } from "./send.js";

const form = document.getElementById("login"), wrong = document.getElementById("wrong");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  wrong.textContent = "";
  try {
    const answer = await fetch("/api/v1/session", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ name: form.elements.name.value.trim(), password: form.elements.password.value }),
    });
    const content = await answer.json().catch(() => ({}));
    if (answer.ok) { location.assign(content.one_time ? "/password" : form.dataset.next); return; }
    wrong.textContent = sentence([content.problem || "the site does not let you in", content.hint].filter(Boolean).join("; ")) + ".";
  } catch {
    wrong.textContent = "The site does not answer.";
  }
  button.disabled = false;
  form.elements.password.select();
});
