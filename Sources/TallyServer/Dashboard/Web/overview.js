// SPDX-License-Identifier: Apache-2.0
// What is happening now.

import { Chart, card, figure, h, quiet, sparkline, table } from "./chart.js";
import { Counts, Live, Problem, ask, iso, minute, sortedKinds } from "./data.js";
import { change, clock, kindName, number, percent, startOfDay, t, zone } from "./words.js";

const shownMinutes = 60;

export function overview({ main, setConnection }) {
  const counts = new Counts();
  const totals = { today: {}, yesterday: {}, from: 0, until: 0 };
  let top = null, topKind = "click", live, query, charts = new Map(), isOver = false, wasEmpty = false;
  const timers = [];
  const figures = h("section", { class: "figures", "aria-label": t("overview") });
  const minutes = h("section", { class: "panels" });
  const leaders = h("section", { class: "card" });
  const news = h("p", { role: "status", class: "news" });
  const empty = h("section", { class: "card empty", hidden: true });
  const problem = h("p", { role: "alert", class: "problem", hidden: true });
  main.append(h("h1", t("overview")), problem, news, empty, figures, minutes, leaders);
  figures.append(quiet(t("loading")));

  const now = () => Date.now();
  const present = () => Math.floor(now() / minute) * minute;
  const kinds = () => sortedKinds(["click", "impression", ...counts.kinds(0), ...Object.keys(totals.today)]);

  // Reading

  async function guarded(work) {
    try {
      await work();
      if (!isOver) problem.hidden = true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem.textContent = `${t("failed")}: ${error.message}`;
      problem.hidden = isOver;
    }
  }

  /** What lies before the minutes that the stream tells, so that nothing counts twice. */
  async function readTotals() {
    const time = now(), midnight = startOfDay(time), from = present() - (shownMinutes - 5) * minute;
    const sum = async (from, to) => from >= to ? {} : Object.fromEntries(
      (await ask(`/v1/totals?from=${iso(from)}&to=${iso(to)}`)).kinds.map(({ kind, v }) => [kind, v]));
    const [today, yesterday] = await Promise.all([
      sum(midnight, from), sum(startOfDay(time, -1), Math.floor((time - (midnight - startOfDay(time, -1))) / minute) * minute)]);
    Object.assign(totals, { today, yesterday, from: Math.max(midnight, from), until: time });
  }

  const todays = kind => (totals.today[kind] ?? 0) + counts.sum(0, kind, totals.from);

  async function readTop() {
    const answer = await ask(`/v1/top?window=1h&limit=10&kind=${topKind}`);
    if (isOver) return;
    top = answer.top;
    watch();
    drawTop();
  }

  function watch() {
    const next = "sums=true" + top.map(({ banner }) => `&banner=${banner}`).sort().join("");
    if (next === query) return;
    query = next;
    live?.close();
    live = new Live(query, counts, changed, setConnection);
  }

  function changed(isWhole) {
    if (!isWhole && wasEmpty) {
      news.textContent = t("firstArrived");
      guarded(readTop);
    }
    draw();
  }

  // Drawing

  function draw() {
    if (isOver) return;
    drawFigures();
    drawMinutes();
    drawTop();
    drawEmpty();
  }

  function drawEmpty() {
    const isEmpty = top !== null && totals.until > 0 && kinds().every(kind => !todays(kind) && !counts.sum(0, kind, 0)) && !top.length;
    wasEmpty = isEmpty;
    empty.hidden = !isEmpty;
    figures.hidden = minutes.hidden = leaders.hidden = isEmpty;
    if (isEmpty && !empty.firstChild) {
      empty.append(h("h2", t("emptyTitle")), h("p", t("emptyText")),
        h("pre", h("code", `curl -X POST ${location.origin}/counter/1`)));
    }
  }

  function against(value, before) {
    if (!before) return t("none");
    const ratio = value / before - 1;
    return [h("span", { class: ratio < 0 ? "down" : "up" }, change(ratio)), " · ", t("yesterday", number(before))];
  }

  function drawFigures() {
    const last = present() - minute;
    const rate = from => from("impression") ? from("click") / from("impression") : NaN;
    const before = kind => totals.yesterday[kind] ?? 0;
    const sum = time => kinds().reduce((sum, kind) => sum + counts.get(0, kind, time), 0);
    figures.replaceChildren(
      ...["click", "impression"].map(kind => figure(t("today", t(kind)), number(todays(kind)), against(todays(kind), before(kind)))),
      figure(t("ctrToday"), percent(rate(todays)), Number.isFinite(rate(before)) ? t("ctrYesterday", percent(rate(before))) : t("none")),
      figure(t("lastMinute"), number(sum(last)), t("soFar", number(sum(present())))));
  }

  function drawMinutes() {
    const to = present() + minute, from = to - shownMinutes * minute;
    counts.forgetBefore(from - minute);
    kinds().forEach((kind, index) => {
      if (!charts.has(kind)) {
        const label = t("perMinute", kindName(kind));
        const chart = new Chart(label);
        const details = h("details", { ontoggle: () => drawMinutes() }, h("summary", t("table")));
        charts.set(kind, { chart, details });
        minutes.append(card(label, chart.element, quiet(t("minuteNote")), details));
      }
      const { chart, details } = charts.get(kind);
      const points = counts.points(0, kind, from, to);
      chart.draw({ series: [{ name: kindName(kind), color: index % 6, points }], from, to, step: minute, now: now() });
      if (details.open) {
        const scrolled = details.querySelector(".scroll")?.scrollTop ?? 0;
        details.replaceChildren(details.firstChild, table(t("perMinute", kindName(kind)), [t("time"), t("count"), t("state")],
          points.toReversed().map(({ time, value }, index) => [clock(time), number(value), t(index ? "open" : "now")])));
        details.querySelector(".scroll").scrollTop = scrolled;
      }
    });
  }

  const kindChoice = h("select", { onchange: event => { topKind = event.target.value; guarded(readTop); } });

  function drawTop() {
    if (top === null) return;
    const to = present() + minute, from = to - shownMinutes * minute;
    const wanted = kinds();
    if (kindChoice.options.length !== wanted.length) {
      kindChoice.replaceChildren(...wanted.map(kind => h("option", { value: kind }, kindName(kind))));
      kindChoice.value = topKind;
    }
    const rows = top.map(entry => ({ ...entry,
      clicks: counts.sum(entry.banner, "click", from), impressions: counts.sum(entry.banner, "impression", from),
      v: Math.max(entry.v, counts.sum(entry.banner, topKind, from)) })).sort((a, b) => b.v - a.v || (BigInt(a.banner) < BigInt(b.banner) ? -1 : 1));
    const isOwn = !["click", "impression"].includes(topKind);
    const head = [t("banner"), t("course"), t("click"), t("impression"), t("ctr"), ...isOwn ? [topKind] : []];
    if (!leaders.firstChild) {
      leaders.append(h("div", { class: "title" }, h("h2", t("top")), h("label", t("by"), " ", kindChoice)), h("div"));
    }
    const focused = document.activeElement?.closest?.("tr a")?.getAttribute("href");
    leaders.lastChild.replaceChildren(!rows.length ? quiet(t("noEvents")) : h("div", { class: "scroll free" },
      h("table", h("caption", { class: "unseen" }, t("top")),
        h("thead", h("tr", head.map((text, index) => h("th", { scope: "col", class: index > 1 && "number" }, text)))),
        h("tbody", rows.map(row => h("tr", {},
          h("th", { scope: "row" }, h("a", { href: `#/banner/${row.banner}` }, row.name ?? row.banner), row.name && h("small", ` ${row.banner}`)),
          h("td", sparkline(counts.points(row.banner, topKind, from, to - minute), wanted.indexOf(topKind) % 6)),
          [number(row.clicks), number(row.impressions), row.impressions ? percent(row.clicks / row.impressions) : "–", ...isOwn ? [number(row.v)] : []]
            .map(text => h("td", { class: "number" }, text))))))));
    if (focused) leaders.querySelector(`a[href="${focused}"]`)?.focus();
  }

  // Going on

  guarded(async () => {
    await Promise.all([readTop().catch(error => { top ??= []; watch(); throw error; }), readTotals()]);
    draw();
  });
  timers.push(setInterval(draw, 5000));
  timers.push(setInterval(() => guarded(readTop), 15000));
  timers.push(setInterval(() => guarded(readTotals), 300000));
  document.addEventListener("visibilitychange", draw);
  return () => {
    isOver = true;
    live?.close();
    timers.forEach(clearInterval);
    document.removeEventListener("visibilitychange", draw);
  };
}
