// The picture of a camera, with or without heat.

import { again } from "./pictures.js";

const image = document.getElementById("live"), heat = document.getElementById("heat");
heat.addEventListener("change", () => {
  image.dataset.heat = heat.checked ? "1" : "";
  again(image);
});
