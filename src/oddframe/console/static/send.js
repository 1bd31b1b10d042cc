// Asks the site to do something, and says in words what came of it.

const csrf = () => document.querySelector('meta[name="csrf"]').content;

export class Refused extends Error {
  constructor(status, problem) {
    const words = [problem.problem || `the site answered ${status}`, problem.seen && `seen: ${problem.seen}`,
      problem.wanted && `wanted: ${problem.wanted}`, problem.hint];
    super(words.filter(Boolean).join("; "));
    this.status = status;
  }
}

export async function send(order, body) {
  const [method, path] = order.split(" ");
  const headers = { "X-CSRF-Token": csrf(), Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused(0, { problem: "the site does not answer", hint: "is it running, and is there a connection?" });
  }
  const json = (answer.headers.get("content-type") || "").startsWith("application/json");
  const content = json ? await answer.json().catch(() => ({})) : {};
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("logged-out"));
  if (!answer.ok) throw new Refused(answer.status, content);
  return content;
}

export const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

export function say(words, bad = false) {
  const said = document.getElementById("said");
  said.textContent = sentence(words);
  said.classList.toggle("bad", bad);
  clearTimeout(say.timer);
  if (!bad) say.timer = setTimeout(() => { said.textContent = ""; }, 6000);
}
