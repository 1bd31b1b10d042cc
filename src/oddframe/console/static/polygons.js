// Places of a picture: polygons that are drawn by mouse, finger and keyboard. Corners are shares of the picture.

import { say, send } from "./send.js";

const SVG = "http://www.w3.org/2000/svg", SIZE = 1000, NEAR = 22;
const WORDS = { ignore: "ignored", watch: "watched", private: "private" };

const make = (name, attributes, ...children) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};
const inside = (value) => Math.max(0, Math.min(SIZE, value));

class Drawing {
  constructor(panel, svg, data) {
    [this.panel, this.svg] = [panel, svg];
    this.given = data;
    this.kind = document.getElementById("kind");
    this.of_file = "ofFile" in panel.dataset;
    this.take(data);
    svg.addEventListener("pointerdown", (event) => this.down(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", (event) => this.up(event));
    svg.addEventListener("pointercancel", () => { this.dragged = null; });
    svg.addEventListener("keydown", (event) => this.key(event));
    document.getElementById("draw-places").addEventListener("click", () => this.open());
    document.getElementById("close-places").addEventListener("click", () => { this.take(this.given); this.close(); });
    document.getElementById("save-places").addEventListener("click", () => this.save());
    const shown = document.getElementById("show-places");
    shown.addEventListener("change", () => this.show());
    this.shown = shown;
    this.show();
  }

  take(data) {
    const scaled = (polygon) => polygon.map(([x, y]) => [SIZE * x, SIZE * y]);
    this.places = [
      ...(data.regions.watch || []).map((one) => ({ kind: "watch", corners: scaled(one) })),
      ...(data.regions.ignore || []).map((one) => ({ kind: "ignore", corners: scaled(one) })),
      ...(data.private || []).map((one) => ({ kind: "private", corners: scaled(one) })),
    ];
    this.begun = [];
    this.cross = [SIZE / 2, SIZE / 2];
  }

  get drawing() { return !this.panel.hidden; }

  open() {
    this.panel.hidden = false;
    document.getElementById("draw-places").hidden = true;
    this.svg.setAttribute("tabindex", "0");
    this.svg.setAttribute("role", "application");
    this.svg.classList.add("drawing");
    for (const id of ["kind", "save-places"]) document.getElementById(id).disabled = this.of_file;
    this.show();
    this.svg.focus({ preventScroll: true });
  }

  close() {
    this.panel.hidden = true;
    document.getElementById("draw-places").hidden = false;
    this.svg.removeAttribute("tabindex");
    this.svg.removeAttribute("role");
    this.svg.classList.remove("drawing");
    this.show();
  }

  show() { this.svg.classList.toggle("shown", this.shown.checked || this.drawing); this.draw(); }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    return [inside((SIZE * (event.clientX - box.left)) / box.width), inside((SIZE * (event.clientY - box.top)) / box.height)];
  }

  // As far as a finger is wide, whatever the picture's shape.
  near([x, y], [u, v]) {
    const box = this.svg.getBoundingClientRect();
    return Math.hypot(((x - u) * box.width) / SIZE, ((y - v) * box.height) / SIZE) < NEAR / 1.5;
  }

  down(event) {
    if (!this.drawing || this.of_file || event.button > 0) return;
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    this.svg.setPointerCapture(event.pointerId);
    const at = this.point(event);
    for (const place of this.places) {
      const corner = place.corners.find((one) => this.near(one, at));
      if (corner && !this.begun.length) { this.dragged = corner; return; }
    }
    this.cross = at;
    const closes = this.begun.length > 2 && this.near(this.begun[0], at);
    const own = closes ? null : this.begun.find((one) => this.near(one, at));
    if (own) { this.dragged = own; return; }
    if (closes) this.end(); else this.add(at);
    this.dragged = this.begun.at(-1) || null;
  }

  move(event) {
    if (!this.dragged) return;
    [this.dragged[0], this.dragged[1]] = this.point(event);
    this.draw();
  }

  up(event) {
    if (this.dragged) this.move(event);
    this.dragged = null;
  }

  key(event) {
    if (!this.drawing || this.of_file) return;
    const step = event.shiftKey ? 50 : 10, [x, y] = this.cross;
    const to = { ArrowLeft: [x - step, y], ArrowRight: [x + step, y], ArrowUp: [x, y - step], ArrowDown: [x, y + step] }[event.key];
    if (to) {
      this.cross = to.map(inside);
      this.say(`cross at ${Math.round(this.cross[0] / 10)} % from the left, ${Math.round(this.cross[1] / 10)} % from the top`);
    } else if (event.key === " ") {
      if (this.begun.length > 2 && this.near(this.begun[0], this.cross)) this.end(); else this.add([...this.cross]);
    } else if (event.key === "Enter") this.end();
    else if (event.key === "Backspace" || event.key === "Delete") { this.begun.pop(); this.say(`${this.begun.length} corners`); }
    else if (event.key === "Escape") { this.begun = []; this.say("begun anew"); } else return;
    event.preventDefault();
    this.draw();
  }

  add(at) {
    this.begun.push(at);
    this.say(`corner ${this.begun.length}${this.begun.length > 2 ? ": Enter, or a click on the first corner, closes" : ""}`);
    this.draw();
  }

  end() {
    if (this.begun.length < 3) { this.say("a place has three corners or more"); return; }
    this.places.push({ kind: this.kind.value, corners: this.begun });
    this.begun = [];
    this.say(`a place that is ${WORDS[this.kind.value]}: Save keeps it`);
    this.draw();
  }

  say(words) { document.getElementById("place-said").textContent = words; }

  draw() {
    const points = (corners) => corners.map((one) => one.map((value) => value.toFixed(1)).join(",")).join(" ");
    const dots = (corners, name) => (this.drawing ? corners : []).map(([x, y]) =>
      make("line", { class: `corner ${name}`, x1: x, y1: y, x2: x, y2: y }));
    const drawn = this.places.flatMap(({ kind, corners }) => [make("polygon", { class: kind, points: points(corners) }), ...dots(corners, kind)]);
    if (this.drawing) {
      drawn.push(make("polyline", { class: `begun ${this.kind.value}`, points: points(this.begun) }), ...dots(this.begun, "begun"));
      const [x, y] = this.cross;
      drawn.push(make("path", { class: "cross", d: `M${x - 20},${y}H${x + 20}M${x},${y - 20}V${y + 20}` }));
    }
    this.svg.replaceChildren(...drawn);
    this.list();
  }

  list() {
    const rows = this.places.map((place, number) => {
      const li = document.createElement("li"), words = document.createElement("span"), button = document.createElement("button");
      words.textContent = `${number + 1}: ${WORDS[place.kind]}, ${place.corners.length} corners`;
      button.type = "button";
      button.textContent = "Remove";
      button.disabled = this.of_file;
      button.setAttribute("aria-label", `Remove place ${number + 1}`);
      button.addEventListener("click", () => { this.places.splice(number, 1); this.draw(); this.svg.focus({ preventScroll: true }); });
      li.append(words, button);
      return li;
    });
    document.getElementById("list-of-places").replaceChildren(...rows);
  }

  async save() {
    if (this.begun.length) {
      if (this.begun.length > 2) this.end(); else { this.say("the place that was begun has too few corners: close it, or Escape begins anew"); return; }
    }
    const of = (kind) => this.places.filter((one) => one.kind === kind).map((one) => one.corners.map(([x, y]) => [x / SIZE, y / SIZE]));
    const regions = { watch: of("watch"), ignore: of("ignore") }, body = { private: of("private") };
    const same = JSON.stringify(regions) === JSON.stringify({ watch: this.given.regions.watch || [], ignore: this.given.regions.ignore || [] });
    if (!same) body.regions = regions;
    try {
      await send(`PATCH /api/v1/cameras/${this.panel.dataset.camera}`, body);
      this.given = { regions: same ? this.given.regions : regions, private: body.private };
      say("The places are kept.");
      this.close();
    } catch (error) {
      this.say(error.message);
      say(error.message, true);
    }
  }
}

const panel = document.getElementById("places");
if (panel) new Drawing(panel, document.getElementById("polygons"), JSON.parse(document.getElementById("places-data").textContent));
