// SPDX-License-Identifier: Apache-2.0
// The state of the system.

import { card, h, quiet } from "./chart.js";
import { Problem, ask } from "./data.js";
import { moment, dayClock, number, t } from "./words.js";

export function system({ main, setConnection }) {
  let isOver = false, timer;
  const content = h("div", quiet(t("loading")));
  const state = h("p", { role: "status", class: "banner" });
  main.append(h("h1", t("system")), state, content);

  async function read() {
    try {
      const status = await ask("/v1/status");
      if (isOver) return;
      setConnection(true);
      draw(status);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (isOver) return;
      setConnection(false);
      if (!content.querySelector("dl")) content.replaceChildren(h("p", { class: "problem" }, `${t("failed")}: ${error.message}`));
    }
    timer = setTimeout(read, 2000);
  }

  const facts = (title, rows) => card(title, h("dl", rows.map(([name, value]) => [h("dt", name), h("dd", value)])));

  function draw({ version, now, ready, problems, log, store, events, refusals, invalid, rowsInMemory, eventIDs, streams }) {
    const text = ready ? t("ready") : `${t("notReady")}: ${problems.join("; ")}`;
    if (state.textContent !== text) state.textContent = text;
    state.className = "banner " + (ready ? "good" : "bad");
    const flushed = store.lastFlush && Math.max(0, Math.round((Date.parse(now) - Date.parse(store.lastFlush)) / 1000));
    const refused = refusals.filter(({ v }) => v > 0);
    content.replaceChildren(
      h("div", { class: "cards" },
        facts(t("log"), [[t("position"), number(log.position)], [t("stored"), number(log.stored)],
          [t("unflushed"), t("chunks", number(log.unflushed))], [t("logTime"), moment(Date.parse(log.time))],
          [t("state"), log.problem ?? t("ok")]]),
        facts(t("store"), [[t("flushes"), number(store.flushes)], [t("lastFlush"), store.lastFlush ? t("ago", number(flushed)) : t("never")],
          [t("rowsWritten"), number(store.rowsWritten)], [t("failures"), number(store.failures)], [t("state"), store.problem ?? t("ok")]]),
        facts(t("counting") + ", " + t("since"), [[t("counted"), number(events.counted)], [t("duplicates"), number(events.duplicates)],
          ...invalid.map(({ reason, v }) => [`${t("invalid")}, ${t(reason)}`, number(v)]), [t("prefetched"), number(events.prefetched)], [t("refused"), number(events.refused)]]),
        facts(t("memory"), [[t("rows"), number(rowsInMemory)], [t("ids"), number(eventIDs)], [t("streams"), number(streams)]])),
      card(t("finality"), h("p", t("finalityText", dayClock(Date.parse(log.watermark))))),
      card(t("refusals") + ", " + t("since"), !refused.length ? quiet(t("noRefusals")) :
        h("table", h("thead", h("tr", h("th", { scope: "col" }, t("reason")), h("th", { scope: "col", class: "number" }, t("count")))),
          h("tbody", refused.map(({ reason, v }) => h("tr", h("th", { scope: "row" }, reason), h("td", { class: "number" }, number(v))))))),
      quiet(t("version", version), " · ", log.id));
  }

  read();
  return () => { isOver = true; clearTimeout(timer); };
}
