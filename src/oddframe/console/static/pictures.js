// Pictures of cameras, asked for again and again while somebody sees them.

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    for (const loop of loops.values()) {
      if (loop.frame !== entry.target) continue;
      loop.visible = entry.isIntersecting;
      loop.wake();
    }
  }
}, { rootMargin: "100px" });
const loops = new Map();

class Loop {
  constructor(image) {
    this.image = image;
    this.frame = image.parentElement; // the picture itself is hidden until there is one
    this.visible = false;
    this.failures = 0;
    this.next = 0;
    seen.observe(this.frame);
  }

  wake() {
    clearTimeout(this.timer);
    if (!this.image.isConnected) { loops.delete(this.image); return; }
    const wait = this.next - performance.now();
    if (document.hidden || !this.visible || this.loading) return;
    if (wait > 0) { this.timer = setTimeout(() => this.wake(), wait); return; }
    this.ask();
  }

  ask() {
    const fresh = new Image(), image = this.image;
    const address = new URL(image.dataset.picture, location.href);
    if (image.dataset.heat) address.searchParams.set("heat", "true");
    address.searchParams.set("t", Date.now().toString(36));
    this.loading = true;
    const done = (well) => {
      this.loading = false;
      this.failures = well ? 0 : this.failures + 1;
      const seconds = Number(image.dataset.seconds || 2) * (well ? 1 : Math.min(30, 2 ** this.failures));
      this.next = performance.now() + 1000 * Math.min(60, seconds);
      const words = image.parentElement?.querySelector(".no-picture");
      if (well) {
        image.src = fresh.src;
        image.hidden = false;
        image.dispatchEvent(new CustomEvent("picture", { bubbles: true }));
      } else image.hidden = true;
      if (words) words.hidden = well;
      this.wake();
    };
    fresh.onload = () => done(true);
    fresh.onerror = () => done(false);
    fresh.src = address;
  }
}

function begin() {
  for (const [image, loop] of loops) {
    if (!image.isConnected) { seen.unobserve(loop.frame); loops.delete(image); }
    else if (image.parentElement !== loop.frame) { // it was put into a part that came anew
      seen.unobserve(loop.frame);
      loop.frame = image.parentElement;
      seen.observe(loop.frame);
    }
  }
  for (const image of document.querySelectorAll("img[data-picture]")) if (!loops.has(image)) loops.set(image, new Loop(image));
}

document.addEventListener("part", begin);
document.addEventListener("visibilitychange", () => loops.forEach((loop) => loop.wake()));
export const again = (image) => { const loop = loops.get(image); if (loop) { loop.next = 0; loop.wake(); } };
begin();
