// A curve that says where one points, by mouse, finger or arrow keys.

function begin(chart) {
  const data = JSON.parse(chart.querySelector("script").textContent);
  const { seconds: span, values, moments } = data;
  if (!values.length) return;
  const readout = chart.parentElement.querySelector(".readout");
  const svg = chart.querySelector("svg"), cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "cursor-line");
  cursor.setAttribute("y1", 0);
  cursor.setAttribute("y2", 100);
  let at = values.length - 1;
  const show = (index) => {
    at = Math.max(0, Math.min(values.length - 1, index));
    const [seconds, score, line] = values[at];
    const x = (1000 * seconds) / span;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    if (!cursor.isConnected) svg.append(cursor);
    const words = `${moments[at]} · score ${score} · line ${line}${score >= line ? " · above the line" : ""}`;
    readout.textContent = words;
    chart.setAttribute("aria-valuenow", at);
    chart.setAttribute("aria-valuetext", words);
  };
  const point = (event) => {
    const box = chart.getBoundingClientRect();
    const wanted = ((event.clientX - box.left) / box.width) * span;
    let best = 0;
    values.forEach(([seconds], index) => { if (Math.abs(seconds - wanted) < Math.abs(values[best][0] - wanted)) best = index; });
    show(best);
  };
  chart.addEventListener("pointermove", point);
  chart.addEventListener("pointerdown", point);
  chart.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 10 : 1;
    const index = { ArrowRight: at + far, ArrowUp: at + far, ArrowLeft: at - far, ArrowDown: at - far,
      PageUp: at + 25, PageDown: at - 25, Home: 0, End: values.length - 1 }[event.key];
    if (index === undefined) return;
    event.preventDefault();
    show(index);
  });
}

const all = () => document.querySelectorAll(".chart").forEach((chart) => {
  if (chart.dataset.begun) return;
  chart.dataset.begun = "1";
  begin(chart);
});
document.addEventListener("part", all);
all();
