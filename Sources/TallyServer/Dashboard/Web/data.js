// SPDX-License-Identifier: Apache-2.0
// Talks to the server: requests, and the live stream. What comes twice does no harm: counts are absolute, and only grow.

export const minute = 60000;

export class Problem extends Error {}

/** @returns the answer's JSON; throws a Problem with what the server says. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(30000), ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(String(error.message || error));
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Problem(problem.detail || problem.error || `${response.status} ${response.statusText}`);
}

export const send = (method, path, body) =>
  ask(path, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

export const iso = ms => new Date(ms).toISOString().slice(0, 19) + "Z";

/** The counts of the minutes that are watched, by banner (0 for all together), kind and minute. */
export class Counts {
  #series = new Map();

  static key(banner, kind) { return banner + "|" + kind; }

  set(banner, kind, time, value) {
    const key = Counts.key(banner, kind);
    if (!this.#series.has(key)) this.#series.set(key, new Map());
    const series = this.#series.get(key);
    if (value > (series.get(time) ?? 0)) series.set(time, value);
  }

  get(banner, kind, time) { return this.#series.get(Counts.key(banner, kind))?.get(time) ?? 0; }

  sum(banner, kind, from, to = Infinity) {
    let sum = 0;
    for (const [time, value] of this.#series.get(Counts.key(banner, kind)) ?? []) if (time >= from && time < to) sum += value;
    return sum;
  }

  /** The kinds that were counted: clicks and impressions first. */
  kinds(banner) {
    const found = [...this.#series.keys()].filter(key => key.startsWith(banner + "|")).map(key => key.slice(key.indexOf("|") + 1));
    return sortedKinds(found);
  }

  points(banner, kind, from, to, step = minute) {
    const points = [];
    for (let time = from; time < to; time += step) points.push({ time, value: this.get(banner, kind, time) });
    return points;
  }

  forgetBefore(time) {
    for (const series of this.#series.values()) for (const key of series.keys()) if (key < time) series.delete(key);
  }
}

export function sortedKinds(kinds) {
  const rank = kind => ["click", "impression"].indexOf(kind) + 1 || 9;
  return [...new Set(kinds)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Watches the server. It reconnects by itself, and says where it was, so that nothing is missed. */
export class Live {
  #source; #timer; #last; #query; #pause = 1000;
  // A page that nobody sees lets its connection go: browsers have six for a server, and count those of pages they keep.
  #look = event => document.hidden || event.type === "pagehide" ? this.#rest() : this.#source || this.#open();

  /** Tells onChange(isWhole) after each event, which it has put into the counts. The query is as in banner=1&sums=true. */
  constructor(query, counts, onChange, onStatus) {
    this.#query = query;
    this.counts = counts;
    this.onChange = onChange;
    this.onStatus = onStatus;
    for (const name of Live.#events) (name[0] === "p" ? window : document).addEventListener(name, this.#look);
    this.#open();
  }

  static #events = ["pagehide", "pageshow", "visibilitychange"];

  #open() {
    const after = this.#last ? "&after=" + encodeURIComponent(this.#last) : "";
    const source = this.#source = new EventSource("/v1/live?" + this.#query + after);
    source.onopen = () => { this.#pause = 1000; this.onStatus(true); };
    source.addEventListener("state", event => this.#take(event, true));
    source.addEventListener("changes", event => this.#take(event, false));
    source.onerror = () => {
      this.onStatus(false);
      // Where the server answers with an error, a browser gives up.
      if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
      this.#timer = setTimeout(() => this.#open(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, 15000);
    };
  }

  #take(event, isWhole) {
    this.#last = event.lastEventId || this.#last;
    const { sums, minutes, invalidMinutes = [] } = JSON.parse(event.data);
    for (const { kind, ts, v } of sums) this.counts.set(0, kind, Date.parse(ts), v);
    for (const { banner, kind, ts, v } of minutes) this.counts.set(banner, kind, Date.parse(ts), v);
    for (const { banner, kind, reason, ts, v } of invalidMinutes) this.counts.set(banner, `${kind}.${reason}`, Date.parse(ts), v);
    this.onChange(isWhole);
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  close() {
    for (const name of Live.#events) (name[0] === "p" ? window : document).removeEventListener(name, this.#look);
    this.#rest();
  }
}
