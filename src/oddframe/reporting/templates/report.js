(() => {
  "use strict";
  const videos = JSON.parse(document.getElementById("data").textContent).videos;
  const which = document.getElementById("which");
  const heat = document.getElementById("heat");
  for (const box of document.querySelectorAll("[data-toggle]")) {
    box.addEventListener("change", () => {
      for (const trace of document.querySelectorAll(`[data-trace="${box.dataset.toggle}"]`)) {
        trace.classList.toggle("off", !box.checked);
      }
    });
  }
  const large = document.getElementById("large");
  for (const button of document.querySelectorAll(".zoom")) {
    button.addEventListener("click", () => {
      const close = document.createElement("button"), image = button.querySelector("img").cloneNode();
      close.append(image);
      large.querySelector("form").replaceChildren(close);
      large.querySelector("p").textContent = image.alt;
      large.showModal();
    });
  }
  large.addEventListener("click", (event) => { if (event.target === large) large.close(); });
  if (!which) return;
  if (heat && videos.some((video) => video.thumbs && video.thumbs.heat.length)) {
    document.getElementById("heat-choice").hidden = false;
  }

  const clock = (seconds) => {
    const tenths = Math.round(seconds * 10), hours = Math.floor(tenths / 36000);
    const minutes = Math.floor(tenths / 600) % 60, rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  };
  // All videos share one scale, so that curves compare. What is calibrated has no upper end, and the line is what
  // matters: it lies half way up, and the top is never reached.
  const heightIn = (name) => {
    if (name === "online" || name === "learned") {
      return (value, line) => (line > 0 ? Math.max(0, value) / (Math.max(0, value) + line) : 0);
    }
    let low = Infinity, high = -Infinity;
    for (const video of videos) {
      for (const value of video.series[name] || []) { low = Math.min(low, value); high = Math.max(high, value); }
    }
    return (value) => (value - low) / (high - low || 1);
  };
  const inside = (stretches, frame) => stretches.find(([start, end]) => frame >= start && frame < end);

  class Card {
    constructor(element) {
      this.element = element;
      this.video = videos[Number(element.dataset.video)];
      this.chart = element.querySelector(".chart");
      this.svg = element.querySelector("svg");
      this.cursor = element.querySelector(".cursor");
      this.readout = element.querySelector(".readout");
      this.canvas = element.querySelector("canvas");
      this.sheets = [];
      const { first, last, frame, time, series } = this.video, end = frame.length - 1;
      const pace = time && (time[end] - time[0]) / (frame[end] - frame[0] || 1);
      element.querySelectorAll(".ends span").forEach((label, n) => {
        const number = n ? last : first;
        label.textContent = time ? clock(time[0] + (number - frame[0]) * pace) : `frame ${number}`;
      });
      this.at = series.online.indexOf(Math.max(...series.online));
      this.chart.addEventListener("pointermove", (event) => this.point(event));
      this.chart.addEventListener("pointerdown", (event) => this.point(event));
      this.chart.addEventListener("keydown", (event) => this.key(event));
    }

    // what is folded away needs no pictures yet
    begin() {
      if (this.group[0] !== this) return;
      const folded = this.element.closest("details"), lead = () => this.lead(this.at);
      if (folded) folded.addEventListener("toggle", lead, { once: true }); else lead();
    }

    // strips of one video move together; a card by itself is a group of one
    get group() {
      const strips = this.element.closest(".strips");
      return strips ? cards.filter((card) => strips.contains(card.element)) : [this];
    }

    lead(at) {
      this.move(at);
      for (const other of this.group) if (other !== this) other.move(other.nearest(this.video.frame[at]));
    }

    x(frame) {
      const { first, last } = this.video;
      return Math.min(1000, (1000 * (frame - first)) / (last - first || 1));
    }

    draw(name, height) {
      const { frame, series, odd, events, line } = this.video, values = series[name];
      const y = (value) => 95 - 91 * height(value, line);
      const parts = odd.map(([start, end, kind]) =>
        `<rect class="odd" x="${this.x(start)}" y="0" width="${Math.max(1, this.x(end) - this.x(start))}" height="100"/>`);
      if (name === "online") parts.push(`<line class="line" x1="0" x2="1000" y1="${y(line)}" y2="${y(line)}"/>`);
      if (values) {
        parts.push(`<polyline class="curve" points="${values.map((value, n) =>
          `${this.x(frame[n]).toFixed(1)},${y(value).toFixed(2)}`).join(" ")}"/>`);
      }
      events.forEach(([start, end]) => parts.push(
        `<line class="event" x1="${this.x(start)}" x2="${Math.max(this.x(end), this.x(start) + 2)}" y1="98" y2="98"/>`));
      this.svg.innerHTML = parts.join("");
    }

    point(event) {
      const box = this.chart.getBoundingClientRect(), { first, last } = this.video;
      this.lead(this.nearest(first + ((event.clientX - box.left) / box.width) * (last - first)));
    }

    nearest(wanted) {
      const frame = this.video.frame;
      let low = 0, high = frame.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (frame[middle] < wanted) low = middle + 1; else high = middle;
      }
      return low > 0 && wanted - frame[low - 1] < frame[low] - wanted ? low - 1 : low;
    }

    key(event) {
      const far = event.shiftKey ? 10 : 1, end = this.video.frame.length - 1;
      const to = {
        ArrowRight: this.at + far, ArrowUp: this.at + far, ArrowLeft: this.at - far, ArrowDown: this.at - far,
        PageUp: this.at + 25, PageDown: this.at - 25, Home: 0, End: end,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.lead(Math.max(0, Math.min(end, to)));
    }

    move(at) {
      const { frame, time, series, odd, events, labelled } = this.video, number = frame[at], name = which.value;
      this.at = at;
      this.cursor.hidden = false;
      this.cursor.style.left = `${this.x(number) / 10}%`;
      const stretch = inside(odd, number);
      const says = [`frame ${number}`];
      if (time) says.push(clock(time[at]));
      if (series[name]) says.push(`${name} ${Number(series[name][at].toPrecision(3))}`);
      if (stretch) says.push(stretch[2] ? `abnormal: ${stretch[2]}` : "abnormal"); else if (labelled) says.push("normal");
      if (inside(events, number)) says.push("alarm");
      this.readout.textContent = says.join(" \u00b7 ");
      this.chart.setAttribute("aria-valuenow", number);
      this.chart.setAttribute("aria-valuetext", says.join(", "));
      this.picture(number);
    }

    picture(number) {
      const thumbs = this.video.thumbs;
      if (!this.canvas || !thumbs) return;
      let place = 0;
      for (let n = 1; n < thumbs.frames.length; n += 1) {
        if (Math.abs(thumbs.frames[n] - number) < Math.abs(thumbs.frames[place] - number)) place = n;
      }
      const page = Math.floor(place / thumbs.sheet), cell = place % thumbs.sheet;
      const column = cell % thumbs.columns, row = Math.floor(cell / thumbs.columns);
      const context = this.canvas.getContext("2d");
      const layer = (image, width, height) => context.drawImage(
        image, column * width, row * height, width, height, 0, 0, thumbs.width, thumbs.height);
      const paint = () => {
        if (number !== this.video.frame[this.at]) return;
        const [ground, hot] = this.sheets[page];
        if (!ground.complete || (hot && !hot.complete)) return;
        layer(ground, thumbs.width, thumbs.height);
        if (hot && heat.checked) layer(hot, thumbs.heat_width, thumbs.heat_height);
      };
      if (!this.sheets[page]) {
        this.sheets[page] = [thumbs.sheets[page], thumbs.heat[page]].map((address) => {
          if (!address) return null;
          const image = new Image();
          image.src = address;
          return image;
        });
      }
      this.sheets[page].forEach((image) => image && image.addEventListener("load", paint, { once: true }));
      paint();
    }
  }

  const cards = [...document.querySelectorAll(".card")].map((element) => new Card(element));
  const redraw = () => {
    const height = heightIn(which.value);
    cards.forEach((card) => card.draw(which.value, height));
  };
  which.addEventListener("change", () => { redraw(); cards.forEach((card) => { if (!card.cursor.hidden) card.move(card.at); }); });
  if (heat) heat.addEventListener("change", () => cards.forEach((card) => { if (!card.cursor.hidden) card.move(card.at); }));
  redraw();
  cards.forEach((card) => card.begin());
})();
