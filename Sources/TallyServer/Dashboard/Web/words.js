// SPDX-License-Identifier: Apache-2.0
// The words of the chosen language, and how it writes numbers and times.

let words;
const languages = ["en", "ru"];
const saved = read("language");
export let language;
export let zone = read("zone") || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export async function setLanguage(next) {
  words = (await import(`./${next}.js`)).default;
  language = next;
  formats.clear();
}
export function setZone(next) { zone = next; write("zone", next); formats.clear(); }

/** The text of this name; {0} is replaced by the first value. */
export function t(name, ...values) {
  return (words[name] ?? name).replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** A kind as people call it: those of the user's own keep their name. */
export const kindName = kind => ["click", "impression"].includes(kind) ? t(kind) : kind;

const formats = new Map();
function format(type, options) {
  const key = type.name + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new type(language === "ru" ? "ru-RU" : "en-GB", options));
  return formats.get(key);
}

export const number = value => format(Intl.NumberFormat, {}).format(value);
export const compact = value => value < 10000
  ? number(value) : format(Intl.NumberFormat, { notation: "compact", maximumFractionDigits: 1 }).format(value);
export const percent = value => Number.isFinite(value)
  ? format(Intl.NumberFormat, { style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value) : "–";
export const change = value => format(Intl.NumberFormat, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" }).format(value);
const time = options => ms => format(Intl.DateTimeFormat, { timeZone: zone, hourCycle: "h23", ...options }).format(ms);
export const clock = time({ hour: "2-digit", minute: "2-digit" });
export const day = time({ day: "numeric", month: "short" });
export const dayClock = time({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
export const dayLong = time({ weekday: "short", day: "numeric", month: "long", year: "numeric" });
export const moment = time({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** How far the zone's clock is ahead of UTC then, in milliseconds. */
export function offset(ms) {
  const text = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).format(ms);
  return Date.parse(text.replace(" ", "T") + "Z") - Math.floor(ms / 1000) * 1000;
}

/** The moment at which the zone's clock shows this local time. */
export function fromLocal(local) {
  const guess = local - offset(local);
  return local - offset(guess);
}

/** Midnight of the day, so many days away. */
export const startOfDay = (ms, days = 0) => fromLocal((Math.floor((ms + offset(ms)) / 864e5) + days) * 864e5);

export function read(name) { try { return localStorage.getItem("tally." + name); } catch { return null; } }
export function write(name, value) { try { localStorage.setItem("tally." + name, value); } catch { /* private mode */ } }

await setLanguage(languages.includes(saved) ? saved : navigator.language?.startsWith("ru") ? "ru" : "en");
