// SPDX-License-Identifier: Apache-2.0
// All banners, however many: searched and paged on the server.

import { h } from "./chart.js";
import { Problem, ask, send } from "./data.js";
import { number, t } from "./words.js";

const pageSize = 50;

export function banners({ main, parameters, setConnection }) {
  let next = null, shown = 0, round = 0, isOver = false;
  const body = h("tbody");
  const said = h("p", { role: "status", class: "quiet" });
  const problem = h("p", { role: "alert", class: "problem", hidden: true });
  const more = h("button", { type: "button", hidden: true, onclick: () => read(false) }, t("more"));
  const search = h("input", { type: "search", value: parameters.get("search") ?? "", oninput: () => later() });
  main.append(h("h1", t("banners")), problem,
    h("section", { class: "pair aside" },
      h("div", { class: "card" }, h("label", { class: "search" }, t("search"), search),
        h("div", { class: "scroll free" }, h("table", h("caption", { class: "unseen" }, t("banners")),
          h("thead", h("tr", [t("id"), t("name"), t("click"), t("impression")].map((text, index) =>
            h("th", { scope: "col", class: index > 1 && "number" }, text)))), body)),
        h("div", { class: "title" }, said, more)),
      register()));

  let timer;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => read(true), 200);
  }

  async function read(isNew) {
    const mine = ++round;
    said.textContent = t("loading");
    try {
      if (isNew) { next = null; shown = 0; }
      const found = [];
      // A page may be short, since a search looks through so many at a time.
      do {
        const text = search.value.trim();
        const answer = await ask(`/v1/banners?totals=true&limit=${pageSize - found.length}` +
          (text && `&search=${encodeURIComponent(text)}`) + (next ? `&after=${next}` : ""));
        if (isOver || mine !== round) return;
        found.push(...answer.banners);
        next = answer.next;
      } while (next !== null && found.length < pageSize);
      if (isNew) body.replaceChildren();
      body.append(...found.map(row));
      shown += found.length;
      problem.hidden = true;
      setConnection(true);
      more.hidden = next === null;
      said.textContent = shown ? t("shown", number(shown)) + await all() : search.value ? t("noneFound") : t("none0");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem.textContent = `${t("failed")}: ${error.message}`;
      problem.hidden = false;
      setConnection(false);
      said.textContent = "";
      clearTimeout(timer);
      if (!isOver) timer = setTimeout(() => read(isNew), 3000);
    }
  }

  async function all() {
    const status = await ask("/v1/status");
    return " · " + t("ofAll", number(status.banners));
  }

  function row({ id, name, registered, totals }) {
    const of = kind => number(totals.find(total => total.kind === kind)?.v ?? 0);
    return h("tr", h("td", h("a", { href: `#/banner/${id}` }, id)),
      h("th", { scope: "row" }, name ? h("a", { href: `#/banner/${id}`, tabindex: -1 }, name) : h("span", { class: "quiet" }, registered ? "–" : t("unregistered"))),
      h("td", { class: "number" }, of("click")), h("td", { class: "number" }, of("impression")));
  }

  function register() {
    const names = h("textarea", { rows: 4, required: true });
    const answer = h("p", { role: "status" });
    return h("form", { class: "card", onsubmit: async event => {
      event.preventDefault();
      try {
        const lines = names.value.split("\n").map(line => line.trim()).filter(Boolean);
        const { banners } = await send("POST", "/v1/banners", { names: lines });
        answer.className = "";
        answer.replaceChildren(t("registered", ""), ...banners.flatMap(({ id, name }, index) =>
          [index ? ", " : "", h("a", { href: `#/banner/${id}` }, `${name} (${id})`)]));
        names.value = "";
        read(true);
      } catch (error) {
        answer.className = "problem";
        answer.textContent = error.message;
      }
    } }, h("h2", t("register")), h("label", t("registerHelp"), names), h("button", { class: "main" }, t("registerDo")), answer);
  }

  read(true);
  return () => { isOver = true; clearTimeout(timer); };
}
