// Forgetting what a review taught: what that would do is said before.

import { say, send } from "./send.js";

const room = document.getElementById("taught");

room.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-forget]");
  if (!button) return;
  const path = `/api/v1/cameras/${room.dataset.camera}/lessons/${button.dataset.forget}`;
  button.toggleAttribute("disabled", true);
  try {
    const preview = await send(`POST ${path}/preview`);
    if (!confirm(`${preview.words} Forget it? The review stays.`)) return;
    await send(`DELETE ${path}`);
    location.reload();
  } catch (error) { say(error.message, true); } finally { button.toggleAttribute("disabled", false); }
});
