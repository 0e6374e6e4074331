// SPDX-License-Identifier: Apache-2.0
// Which view is shown, in which language, and whether the server is there.

import { h } from "./chart.js";
import { language, setLanguage, t, write } from "./words.js";

const views = ["overview", "banner", "banners", "system"];
const main = document.getElementById("main");
const connection = document.getElementById("connection");
const languageButton = document.getElementById("language");
let leave = () => {};

/** The view of the address: #/banner/42+43?range=7d is the view "banner", with "42+43" and the parameters. */
function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  return { name: views.includes(name) ? name : "overview", rest: rest.join("/"), parameters: new URLSearchParams(query) };
}

let round = 0;
async function show(isNavigation) {
  const mine = ++round;
  const { name, rest, parameters } = place();
  // Each is loaded when it is first wanted.
  const view = (await import(`./${name}.js`))[name];
  if (mine !== round) return;
  leave();
  document.documentElement.lang = language;
  document.getElementById("skip").textContent = t("skip");
  languageButton.textContent = t("language");
  languageButton.lang = language === "ru" ? "en" : "ru";
  const current = name === "banner" ? "banners" : name;
  document.getElementById("nav").replaceChildren(...["overview", "banners", "system"].map(link =>
    h("a", { href: link === "overview" ? "#/" : "#/" + link, "aria-current": link === current && "page" }, t(link))));
  setConnection(null);
  main.replaceChildren();
  leave = view({ main, rest, parameters, setConnection });
  document.title = main.querySelector("h1").textContent + " – Tally";
  if (isNavigation) main.focus();
}

let isConnected;
function setConnection(next) {
  if (next === isConnected && next !== null) return;
  isConnected = next;
  connection.className = next === null ? "" : next ? "live" : "away";
  connection.textContent = next === null ? t("connecting") : next ? t("live") : t("away");
}

languageButton.addEventListener("click", async () => {
  await setLanguage(language === "en" ? "ru" : "en");
  write("language", language);
  show(false);
});
document.getElementById("skip").addEventListener("click", event => { event.preventDefault(); main.focus(); });
addEventListener("hashchange", () => show(true));
show(false);
