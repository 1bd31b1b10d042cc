// What somebody says of events. Notes that were typed and not sent stay in this browser, also when the session is lost.

import { send } from "./send.js";

const place = (event) => `oddframe.note.${event}`;

export const review = (event, verdict, { note = "", what = "", scope = {} } = {}) =>
  send(`POST /api/v1/events/${event}/reviews`, { verdict, note, scope: what ? { ...scope, class: what } : scope });

export const takeBack = (event) => send(`DELETE /api/v1/events/${event}/reviews`);

export const kept = {
  get(event) {
    try { return JSON.parse(localStorage.getItem(place(event)) || "null"); } catch { return null; }
  },
  set(event, note, what) {
    try { localStorage.setItem(place(event), JSON.stringify({ note, what, at: Date.now() })); } catch { /* it is full */ }
  },
  drop(event) {
    try { localStorage.removeItem(place(event)); } catch { /* there is none */ }
  },
  tidy() { // of events that nobody came back to for a month
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith("oddframe.note.") && Date.now() - (JSON.parse(localStorage.getItem(key)).at || 0) > 30 * 86400e3) localStorage.removeItem(key);
      }
    } catch { /* something else wrote there */ }
  },
};

export const typing = (target) => target.matches("input:not([type=checkbox]), textarea, select");
