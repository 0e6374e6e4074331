// SPDX-License-Identifier: Apache-2.0
// One banner, or several in the same charts.

import { Chart, card, figure, h, quiet, stepText, table } from "./chart.js";
import { Counts, Live, Problem, ask, iso, minute, send, sortedKinds } from "./data.js";
import { fromLocal, kindName, number, offset, percent, setZone, startOfDay, t, zone } from "./words.js";

const steps = { "1m": minute, "5m": 5 * minute, "1h": 36e5, "1d": 864e5 };
const stepNames = { "1m": "m1", "5m": "m5", "1h": "h1", "1d": "d1" };
const ranges = { "1h": "lastHour", today: "todayRange", "7d": "days7", "30d": "days30", custom: "custom" };
const mostSteps = 1500;
/** All that was sent, what is left of it, and what is no person's. */
const parts = ["gross", "net", "invalid"], reasons = ["bot", "burst"];

export function banner({ main, rest, parameters, setConnection }) {
  const ids = [...new Set(rest.split("+"))].filter(id => /^[1-9]\d*$/.test(id)).slice(0, 6);
  const range = parameters.get("range") in ranges ? parameters.get("range") : "1h";
  const compares = parameters.has("compare");
  const part = parts.find(name => name === parameters.get("traffic")) ?? "gross";
  const counts = new Counts();
  let known = [], shown = null, live, isOver = false, isReading = false, wantsReading = false;
  const timers = [], charts = new Map();

  const title = h("h1", known.length ? "" : `${t("banner")} ${ids.join(", ")}`);
  const problem = h("p", { role: "alert", class: "problem", hidden: true });
  const figures = h("section", { class: "figures" });
  const panels = h("section", { class: "panels wide" });
  const visitors = h("section"), more = h("section", { class: "pair" });
  main.append(title, toolbar(), problem, figures, panels, visitors, more);
  panels.append(quiet(t("loading")));

  function go(changes, others = ids) {
    const next = new URLSearchParams(parameters);
    for (const [name, value] of Object.entries(changes)) value == null ? next.delete(name) : next.set(name, value);
    location.hash = `#/banner/${others.join("+")}?${next}`;
  }

  const nameOf = id => known.find(one => String(one.id) === id)?.name || `${t("banner")} ${id}`;

  // The range

  /** @returns [from, to) in milliseconds. */
  function bounds() {
    const now = Date.now(), end = (Math.floor(now / minute) + 1) * minute;
    switch (range) {
      case "today": return [startOfDay(now), end];
      case "7d": return [startOfDay(now, -6), end];
      case "30d": return [startOfDay(now, -29), end];
      case "custom": {
        const from = Date.parse(parameters.get("from")), to = Date.parse(parameters.get("to"));
        if (from < to) return [from, to];
      }
    }
    return [end - 60 * minute, end];
  }

  /** The step that was chosen, unless it gives more points than anyone can see. */
  function chooseStep([from, to]) {
    const fits = step => (to - from) / steps[step] <= mostSteps;
    const chosen = parameters.get("step");
    if (chosen in steps && fits(chosen)) return chosen;
    const automatic = Object.keys(steps).find(step => (to - from) / steps[step] <= 200) ?? "1d";
    return chosen in steps ? Object.keys(steps).find(step => steps[step] >= steps[chosen] && fits(step)) ?? "1d" : automatic;
  }

  /** The period before begins at the same time of the day. */
  const shiftBefore = length => range === "today" || length > 864e5 ? Math.ceil(length / 864e5) * 864e5 : length;

  // The toolbar

  function local(ms) { return new Date(ms + offset(ms)).toISOString().slice(0, 16); }

  function toolbar() {
    const [from, to] = bounds();
    const first = h("input", { type: "datetime-local", required: true, value: local(from) });
    const last = h("input", { type: "datetime-local", required: true, value: local(to) });
    const chosen = parameters.get("step");
    const parse = input => fromLocal(Date.parse(input.value + "Z"));
    const zones = [...new Set([zone, "UTC", ...Intl.supportedValuesOf?.("timeZone") ?? []])];
    const other = h("input", { type: "search", list: "found", oninput: event => suggest(event.target.value) });
    return h("section", { class: "tools", "aria-label": t("range") },
      h("div", { class: "choice", role: "group", "aria-label": t("range") }, Object.entries(ranges).map(([key, name]) =>
        h("button", { type: "button", "aria-pressed": String(key === range), onclick: () =>
          go({ range: key, step: null, from: key === "custom" ? iso(from) : null, to: key === "custom" ? iso(to) : null }) }, t(name)))),
      range === "custom" && h("form", { onsubmit: event => {
        event.preventDefault();
        go({ from: iso(parse(first)), to: iso(parse(last)) });
      } }, h("label", t("from"), " ", first), h("label", t("to"), " ", last), h("button", t("show"))),
      h("label", t("step"), " ", h("select", { onchange: event => go({ step: event.target.value || null }) },
        h("option", { value: "" }, t("auto")), Object.entries(stepNames).map(([key, name]) =>
          h("option", { value: key, selected: key === chosen }, t(name))))),
      h("label", t("traffic"), " ", h("select", { onchange: event => go({ traffic: event.target.value || null }) },
        parts.map(name => h("option", { value: name === "gross" ? "" : name, selected: name === part }, t(name))))),
      h("label", t("zone"), " ", h("select", { onchange: event => { setZone(event.target.value); dispatchEvent(new Event("hashchange")); } },
        zones.map(name => h("option", { value: name, selected: name === zone }, name.replaceAll("_", " "))))),
      h("label", { class: "check" }, h("input", { type: "checkbox", checked: compares, onchange: event =>
        go({ compare: event.target.checked ? "1" : null }) }), " ", t("compare")),
      h("form", { onsubmit: event => { event.preventDefault(); addOther(other.value); } },
        h("label", t("addBanner"), " ", other), h("datalist", { id: "found" }), h("button", t("add"))),
      ids.length > 1 && h("ul", { class: "chips" }, ids.map((id, index) => h("li", { class: `c${index}` }, h("i"),
        h("span", { class: "name" }, id), h("button", { type: "button", "aria-label": t("remove", id), onclick: () => go({}, ids.filter(one => one !== id)) }, "×")))));
  }

  let found = [];
  async function suggest(text) {
    if (!text.trim()) return;
    const answer = await ask(`/v1/banners?limit=10&search=${encodeURIComponent(text.trim())}`).catch(() => null);
    if (!answer || isOver) return;
    found = answer.banners;
    document.getElementById("found")?.replaceChildren(...found.map(one => h("option", { value: one.name ?? String(one.id) })));
  }

  function addOther(text) {
    const match = found.find(one => one.name === text.trim());
    const id = match ? String(match.id) : text.trim();
    if (/^[1-9]\d*$/.test(id) && !ids.includes(id)) go({}, [...ids, id]);
  }

  // Reading

  async function read() {
    wantsReading = isReading;
    if (isReading) return;
    isReading = true;
    try {
      const [from, to] = bounds(), step = chooseStep([from, to]), shift = shiftBefore(to - from);
      const kinds = sortedKinds(["click", "impression", ...known.flatMap(one => one.totals?.map(total => total.kind) ?? [])]);
      const query = (from, to) => `/v1/series?${ids.map(id => `banner=${id}`).join("&")}&${kinds.map(kind => `kind=${kind}`).join("&")}` +
        `&from=${iso(from)}&to=${iso(to)}&step=${step}&tz=${encodeURIComponent(zone)}`;
      const both = (...range) => Promise.all(["&fill=zero", "&traffic=invalid"].map(more => ask(query(...range) + more)));
      const days = ids.length === 1 && ask(`/v1/visitors?banner=${ids[0]}&from=${iso(from)}&to=${iso(to)}`).catch(() => null);
      const [answer, before, visitors] = await Promise.all([both(from, to), compares ? both(from - shift, to - shift) : null, days]);
      if (isOver) return;
      shown = { from, to, step, kinds, answer, before, query: query(from, to), days: visitors?.visitors ?? [] };
      problem.hidden = true;
      setConnection(true);
      draw();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem.textContent = `${t("failed")}: ${error.message}`;
      problem.hidden = isOver;
      if (!shown) panels.replaceChildren();
    } finally {
      isReading = false;
      if (wantsReading && !isOver) read();
    }
  }

  /** What was counted in each step: all, what of it is invalid and why, and what is left. */
  function pointsOf(answers, id, kind, isLive) {
    if (!answers) return [];
    const [all, invalid] = answers.map(answer => answer.series.filter(one => String(one.banner) === id && one.kind === kind));
    const found = reasons.map(reason => new Map(invalid.find(one => one.reason === reason)?.points.map(({ ts, v }) => [ts, v])));
    return (all[0]?.points ?? []).map(({ ts, v, final }) => {
      const time = Date.parse(ts), live = name => isLive ? counts.get(id, name, time) : 0;
      const point = { time, final, gross: Math.max(v, live(kind)), invalid: 0 };
      reasons.forEach((reason, at) => {
        point[reason] = Math.max(found[at].get(ts) ?? 0, live(`${kind}.${reason}`));
        point.invalid += point[reason];
      });
      point.net = Math.max(0, point.gross - point.invalid);
      return point;
    });
  }

  // Drawing

  function lines(kind) {
    const kindIndex = shown.kinds.indexOf(kind);
    return ids.flatMap((id, index) => {
      const before = pointsOf(shown.before, id, kind), points = pointsOf(shown.answer, id, kind, shown.step === "1m");
      const isSplit = ids.length === 1 && part === "gross" && !compares && points.some(point => point.invalid);
      return (isSplit ? parts : [part]).map((name, at) => ({
        id, name: isSplit ? t(name) : nameOf(id), color: ids.length > 1 ? index : (kindIndex + 2 * at) % 6,
        points: points.map(point => ({ ...point, value: point[name] })),
        // The steps of two periods may differ by one where the clocks were set.
        before: shown.before && points.map(({ time }, at) => ({ time, value: before[at]?.[name] ?? 0 })) }));
    });
  }

  /** Of all banners that are shown. */
  function sum(series, name) {
    return series.filter((one, at) => one.id !== series[at - 1]?.id)
      .reduce((sum, one) => sum + one.points.reduce((sum, point) => sum + point[name], 0), 0);
  }

  function draw() {
    if (!shown || isOver) return;
    const now = Date.now(), { from, to, step } = shown;
    const sums = {};
    for (const kind of shown.kinds) {
      const series = lines(kind);
      sums[kind] = Object.fromEntries([...parts, ...reasons].map(name => [name, sum(series, name)]));
      if (!charts.has(kind)) charts.set(kind, panel(kind));
      const { chart, details, legend } = charts.get(kind);
      legend.replaceChildren(...(series.length > ids.length ? series : []).map(one => h("li", { class: `c${one.color}` }, h("i"), one.name)));
      chart.draw({ series, from, to, step: steps[step], now });
      if (details.open) details.replaceChildren(details.firstChild, numbers(kind, series, now));
    }
    const rate = name => sums.impression[name] ? percent(sums.click[name] / sums.impression[name]) : "–";
    const invalid = shown.kinds.some(kind => sums[kind].invalid);
    figures.replaceChildren(...shown.kinds.map(kind => figure(kindName(kind), number(sums[kind][part]), !sums[kind].invalid ? t("sum") :
      t("ofThem", number(sums[kind].net), number(sums[kind].invalid)) + " (" + reasons.filter(reason => sums[kind][reason])
        .map(reason => `${t(reason)} ${number(sums[kind][reason])}`).join(", ") + ")")),
      figure(t("ctr"), part === "invalid" ? "–" : rate(part), invalid ? `${t("net")}: ${rate("net")}` : t("sum")));
    drawDays();
    const chosen = parameters.get("step");
    note.replaceChildren(chosen in steps && chosen !== step ? t("tooMany", t(stepNames[step])) + " " : "", to > now ? t("dashedNote") + " " : "",
      h("span", { class: "keys" }, t("chartHelp")));
    csv.href = shown.query + (invalid ? "&traffic=all" : "") + "&format=csv";
    if (!note.parentNode) panels.prepend(h("div", { class: "title" }, note, h("span", range === "custom" && h("button", { type: "button", onclick: zoomOut }, t("zoomOut")), " ", csv)));
  }

  /** Unique visitors: the last day, and each of several. */
  function drawDays() {
    const { days } = shown, last = days.at(-1);
    if (last) figures.append(figure(t("visitors"), number(last.v), t("estimate", last.day)));
    visitors.replaceChildren(...days.length > 1 ? [card(t("visitors"), table(t("visitors"), [t("time"), t("count")],
      days.map(({ day, v }) => [day, number(v)]).reverse()))] : []);
  }

  const note = h("p", { class: "quiet" });
  const csv = h("a", { class: "button", download: `tally-${ids.join("-")}.csv` }, t("csv"));

  function panel(kind) {
    if (!charts.size) panels.replaceChildren();
    const chart = new Chart(kindName(kind), (from, to) => from ? go({ range: "custom", step: null, from: iso(from), to: iso(to) }) : zoomOut());
    const details = h("details", { ontoggle: () => draw() }, h("summary", t("table")));
    const legend = h("ul", { class: "chips" });
    panels.append(card(kindName(kind), legend, chart.element, details));
    return { chart, details, legend };
  }

  function zoomOut() {
    const [from, to] = bounds(), half = (to - from) / 2;
    go({ range: "custom", step: null, from: iso(from - half), to: iso(Math.min(to + half, Math.ceil(Date.now() / minute) * minute)) });
  }

  function numbers(kind, series, now) {
    const length = steps[shown.step];
    const times = series[0]?.points ?? [];
    return table(kindName(kind), [t("time"), ...series.flatMap(one => [one.name, ...one.before ? [t("before")] : []]), t("state")],
      times.map((point, index) => [stepText(point.time, length),
        ...series.flatMap(one => [number(one.points[index]?.value ?? 0), ...one.before ? [number(one.before[index]?.value ?? 0)] : []]),
        t(point.final ? "final" : point.time <= now && now < point.time + length ? "now" : "open")]).reverse());
  }

  // What is known of the banner

  async function readBanners() {
    known = await Promise.all(ids.map(id => ask(`/v1/banners/${id}`).catch(() => ({ id, name: null, target: null, tags: [], totals: [] }))));
    if (isOver) return;
    title.textContent = ids.map(nameOf).join(", ");
    document.title = `${title.textContent} – Tally`;
    main.querySelectorAll(".chips .name").forEach((element, index) => { element.textContent = nameOf(ids[index]); });
    if (ids.length === 1) more.replaceChildren(settings(known[0]), snippet(known[0]));
  }

  function settings(one) {
    const input = (type, value, most) => h("input", { type, value: value ?? "", maxlength: most });
    const name = input("text", one.name, 512), target = input("url", one.target, 2048), tags = input("text", one.tags.join(", "));
    const said = h("p", { role: "status" });
    return h("form", { class: "card", onsubmit: async event => {
      event.preventDefault();
      try {
        await send("PUT", `/v1/banners/${ids[0]}`, {
          ...name.value && { name: name.value }, ...target.value && { target: target.value },
          tags: tags.value.split(",").map(tag => tag.trim()).filter(Boolean) });
        said.className = "";
        await readBanners();
        more.querySelector("[role=status]").textContent = t("saved");
      } catch (error) {
        said.className = "problem";
        said.textContent = error.message;
      }
    } }, h("h2", t("settings")), h("label", t("name"), name), h("label", t("target"), target), h("label", t("tags"), tags),
      h("button", { class: "main" }, t("save")), said);
  }

  function snippet(one) {
    const id = ids[0], origin = location.origin;
    const target = (one.target ?? "https://example.org/").replaceAll("&", "&amp;");
    const script = `<a data-tally-banner="${id}" href="${target}">…</a>\n<script src="${origin}/tally.js" async></script>`;
    const pixel = `<a href="${origin}/v1/click/${id}"><img src="${origin}/v1/pixel/${id}" width="1" height="1" alt=""> …</a>`;
    return card(t("snippet"), h("p", t("snippetScript")), code(script),
      h("p", t("snippetPixel"), !one.target && h("small", " " + t("noTarget"))), code(pixel));
  }

  function code(text) {
    const element = h("code", text), said = h("span", { role: "status" });
    return h("div", { class: "code" }, h("pre", { tabindex: 0 }, element), h("button", { type: "button", onclick: async () => {
      getSelection().selectAllChildren(element);
      try { await navigator.clipboard.writeText(text); said.textContent = t("copied"); } catch { document.execCommand("copy"); }
    } }, t("copy")), said);
  }

  // Going on

  if (!ids.length) {
    panels.replaceChildren(h("p", t("noneFound")));
    return () => {};
  }
  let pause = null;
  const later = () => { pause ??= setTimeout(() => { pause = null; read(); }, 3000); };
  readBanners().then(read);
  live = new Live(ids.map(id => `banner=${id}`).join("&"), counts, isWhole => {
    if (isWhole && shown) read();
    else if (shown?.step === "1m") draw();
    else if (bounds()[1] > Date.now() - minute) later();
  }, isConnected => { setConnection(isConnected); if (isConnected && !problem.hidden) readBanners().then(read); });
  let last = Math.floor(Date.now() / minute);
  timers.push(setInterval(() => {
    const next = Math.floor(Date.now() / minute);
    if (next !== last && range !== "custom") read();
    last = next;
  }, 1000));
  return () => {
    isOver = true;
    live.close();
    timers.forEach(clearInterval);
    clearTimeout(pause);
  };
}
