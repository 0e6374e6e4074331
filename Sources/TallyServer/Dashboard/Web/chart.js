// SPDX-License-Identifier: Apache-2.0
// Small line charts in SVG. Colours come from the style sheet, so that they follow the theme.

import { clock, compact, day, dayClock, dayLong, kindName, number, offset, t } from "./words.js";

/** An element. Attributes, which may be left out, are listeners where they begin with "on"; null and false leave one out. */
export function h(name, ...rest) { return build(document.createElement(name), rest); }
export function svg(name, ...rest) { return build(document.createElementNS("http://www.w3.org/2000/svg", name), rest); }
function build(element, rest) {
  const isPlain = rest[0]?.constructor === Object;
  for (const [name, value] of Object.entries(isPlain ? rest[0] : {})) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...rest.slice(isPlain ? 1 : 0).flat(3).filter(child => child != null && child !== false));
  return element;
}
export const quiet = (...children) => h("p", { class: "quiet" }, ...children);
/** A frame with a title. */
export const card = (title, ...children) => h("section", { class: "card" }, h("h2", title), ...children);
export const figure = (label, value, ...note) => h("div", { class: "card figure" }, h("h2", label), h("p", { class: "value" }, value), quiet(...note));

const hour = 36e5, dayLength = 864e5;
const tickSteps = [1, 2, 5, 10, 15, 20, 30].map(n => n * 6e4).concat([1, 2, 3, 6, 12].map(n => n * hour), [1, 2, 3, 7, 14, 30, 90].map(n => n * dayLength));

/** Round numbers from 0 to at least the largest value. */
export function valueTicks(largest, most = 4) {
  largest = Math.max(largest, 1);
  const rough = largest / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map(n => n * power).find(n => n >= rough));
  const ticks = [];
  for (let tick = 0; tick < largest + step; tick += step) ticks.push(tick);
  return ticks;
}

function timeTicks(from, to, most) {
  const step = tickSteps.find(step => (to - from) / step <= most) ?? 365 * dayLength;
  const ticks = [];
  for (let tick = Math.ceil((from + offset(from)) / step) * step - offset(from); tick <= to; tick += step) {
    ticks.push(step >= dayLength ? tick + offset(from) - offset(tick) : tick);
  }
  return { ticks, text: step >= dayLength ? day : tick => (tick + offset(tick)) % dayLength ? clock(tick) : day(tick) };
}

/** The time of a step as a reader wants it. */
export function stepText(time, step) { return step >= dayLength ? dayLong(time) : dayClock(time); }

/** A line chart that is read with the mouse, a finger or the arrow keys, and zoomed. */
export class Chart {
  #content; #width = 0; #cursor = null; #drag = null;

  /** @param onZoom gets (from, to); zooms out when called without. */
  constructor(label, onZoom) {
    this.label = label;
    this.onZoom = onZoom;
    this.picture = svg("svg", { role: "img", preserveAspectRatio: "none" });
    this.reading = h("div", { class: "reading", hidden: true });
    this.spoken = h("p", { class: "unseen", "aria-live": "polite" });
    this.element = h("div", { class: "chart", tabindex: 0, role: "group", "aria-label": label },
      this.picture, this.reading, this.spoken);
    this.element.addEventListener("pointermove", event => this.#move(event));
    this.element.addEventListener("pointerdown", event => this.#press(event));
    this.element.addEventListener("pointerup", event => this.#release(event));
    this.element.addEventListener("pointerleave", () => { this.#drag = null; this.#point(null); });
    this.element.addEventListener("blur", () => this.#point(null));
    this.element.addEventListener("keydown", event => this.#key(event));
    this.observer = new ResizeObserver(([entry]) => {
      if (entry.contentRect.width === this.#width) return;
      this.#width = entry.contentRect.width;
      if (this.#content) this.draw(this.#content);
    });
    this.observer.observe(this.element);
  }

  /** @param content {series: [{name, color, points: [{time, value}], before: [{time, value}]}], from, to, step, now} */
  draw(content) {
    this.#content = content;
    const width = this.#width || this.element.clientWidth || 600;
    const height = this.element.clientHeight || 220;
    const place = { left: 46, right: 10, top: 10, bottom: 24 };
    const { series, from, to, step } = content;
    const times = series[0]?.points.map(point => point.time) ?? [];
    const last = times.at(-1) ?? from;
    const largest = series.reduce((most, one) => Math.max(most, ...one.points.map(p => p.value), ...(one.before ?? []).map(p => p.value)), 0);
    const ticks = valueTicks(largest);
    this.x = time => place.left + (last > from ? (time - from) / (last - from) : .5) * (width - place.left - place.right);
    this.y = value => height - place.bottom - value / ticks.at(-1) * (height - place.top - place.bottom);
    const { ticks: labels, text } = timeTicks(from, last, Math.max(2, Math.floor((width - 60) / 76)));
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.picture.setAttribute("aria-label", this.#summary());
    this.picture.replaceChildren(
      svg("g", { class: "grid" }, ticks.map(tick => [
        svg("line", { x1: place.left, x2: width - place.right, y1: this.y(tick), y2: this.y(tick), class: tick ? "" : "zero" }),
        svg("text", { x: place.left - 8, y: this.y(tick) + 4, "text-anchor": "end" }, compact(tick))])),
      svg("g", { class: "grid" }, labels.filter(tick => this.x(tick) < width - 14).map(tick =>
        svg("text", { x: this.x(tick), y: height - 6, "text-anchor": "middle" }, text(tick)))),
      // The first lies on top.
      ...series.toReversed().map(one => this.#line(one, content)));
    this.area = svg("rect", { class: "selection", y: place.top, height: height - place.top - place.bottom, visibility: "hidden" });
    this.pointer = svg("g", { class: "pointer", visibility: "hidden" });
    this.picture.append(this.area, this.pointer);
    this.bounds = { top: place.top, bottom: height - place.bottom, width };
    if (this.#cursor != null) this.#point(this.#cursor, true);
  }

  #line(one, { now, step }) {
    const path = points => points.map((p, i) => `${i ? "L" : "M"}${this.x(p.time).toFixed(1)} ${this.y(p.value).toFixed(1)}`).join("");
    const isOpen = point => point.time <= now && now < point.time + step;
    const points = one.points.filter(point => point.time <= now);
    const closed = points.filter(point => !isOpen(point));
    const open = points.find(isOpen);
    const parts = [];
    if (one.before) parts.push(svg("path", { d: path(one.before), class: "before" }));
    if (closed.length > 1) {
      const base = this.y(0).toFixed(1);
      parts.push(svg("path", { d: `${path(closed)}L${this.x(closed.at(-1).time).toFixed(1)} ${base}L${this.x(closed[0].time).toFixed(1)} ${base}Z`, class: "below" }));
    }
    parts.push(svg("path", { d: path(closed), class: "line" }));
    if (closed.length === 1) parts.push(svg("circle", { cx: this.x(closed[0].time), cy: this.y(closed[0].value), r: 3, class: "dot" }));
    if (open && closed.length) parts.push(svg("path", { d: path([closed.at(-1), open]), class: "line open" }));
    if (open) parts.push(svg("circle", { cx: this.x(open.time), cy: this.y(open.value), r: 4, class: "dot open" }));
    return svg("g", { class: `series c${one.color}` }, parts);
  }

  #summary() {
    const { series, step } = this.#content;
    return this.label + ". " + series.map(one => {
      const sum = one.points.reduce((sum, point) => sum + point.value, 0);
      const top = one.points.reduce((best, point) => point.value > best.value ? point : best, { value: -1 });
      return `${one.name}: ${number(sum)}` + (top.value > 0 ? `, ${number(top.value)} (${stepText(top.time, step)})` : "");
    }).join(". ");
  }

  // Reading

  #nearest(event) {
    const points = this.#content?.series[0]?.points ?? [];
    if (!points.length) return null;
    const x = event.clientX - this.element.getBoundingClientRect().left;
    let best = 0;
    points.forEach((point, index) => { if (Math.abs(this.x(point.time) - x) < Math.abs(this.x(points[best].time) - x)) best = index; });
    return best;
  }

  #point(index, isSilent = false) {
    this.#cursor = index;
    const { series, step, now } = this.#content ?? {};
    const time = index == null ? null : series?.[0]?.points[index]?.time;
    this.reading.hidden = time == null;
    this.pointer?.setAttribute("visibility", time == null ? "hidden" : "visible");
    if (time == null) return;
    const x = this.x(time), isOpen = time <= now && now < time + step;
    this.pointer.replaceChildren(svg("line", { x1: x, x2: x, y1: this.bounds.top, y2: this.bounds.bottom }),
      ...series.map(one => svg("circle", { cx: x, cy: this.y(one.points[index]?.value ?? 0), r: 4, class: `dot c${one.color}` })));
    const head = stepText(time, step) + (isOpen ? ` · ${t("stillCounting")}` : "");
    const rows = series.map(one => [one, one.points[index]?.value ?? 0, one.before?.[index]?.value]);
    this.reading.replaceChildren(h("b", head), ...rows.map(([one, value, before]) =>
      h("div", { class: `c${one.color}` }, h("i"), h("span", one.name), h("output", number(value)),
        before != null && h("small", `${t("before")} ${number(before)}`))));
    const left = Math.min(Math.max(0, x + 14 + this.reading.offsetWidth > this.bounds.width ? x - 14 - this.reading.offsetWidth : x + 14), this.bounds.width);
    this.reading.style.left = left + "px";
    if (!isSilent) this.spoken.textContent = `${head}: ` + rows.map(([one, value]) => `${one.name} ${number(value)}`).join(", ");
  }

  #move(event) {
    const index = this.#nearest(event);
    if (index !== this.#cursor) this.#point(index, true);
    if (!this.#drag || index == null) return;
    const [a, b] = [this.#drag.x, event.clientX - this.element.getBoundingClientRect().left].sort((a, b) => a - b);
    this.area.setAttribute("x", a);
    this.area.setAttribute("width", b - a);
    this.area.setAttribute("visibility", "visible");
  }

  #press(event) {
    const index = this.#nearest(event);
    if (!this.onZoom || index == null || event.pointerType === "touch") return;
    this.#drag = { index, x: event.clientX - this.element.getBoundingClientRect().left };
  }

  #release(event) {
    const drag = this.#drag, index = this.#nearest(event);
    this.#drag = null;
    this.area?.setAttribute("visibility", "hidden");
    if (drag && index != null && Math.abs(index - drag.index) > 1) this.#zoom(Math.min(index, drag.index), Math.max(index, drag.index));
  }

  #zoom(first, last) {
    const points = this.#content.series[0].points;
    this.onZoom?.(points[Math.max(0, first)].time, points[Math.min(points.length - 1, last)].time + this.#content.step);
  }

  #key(event) {
    const length = this.#content?.series[0]?.points.length ?? 0;
    if (!length || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#cursor ?? length - 1;
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: length - 1, PageUp: at - 10, PageDown: at + 10 };
    if (event.key in moves) {
      this.#point(this.#cursor == null && event.key.startsWith("Arrow") ? at : Math.min(length - 1, Math.max(0, moves[event.key])));
    } else if (event.key === "+" && this.onZoom && length > 4) {
      this.#zoom(at - Math.ceil(length / 4), at + Math.ceil(length / 4));
    } else if (event.key === "-" || event.key === "Escape") {
      this.onZoom?.();
    } else { return; }
    event.preventDefault();
  }
}

/** A tiny chart without words; the numbers stand beside it. */
export function sparkline(points, color = 0) {
  const width = 120, height = 28, most = Math.max(1, ...points.map(point => point.value));
  const path = points.map((point, index) =>
    `${index ? "L" : "M"}${(index / Math.max(1, points.length - 1) * width).toFixed(1)} ${(height - 2 - point.value / most * (height - 4)).toFixed(1)}`).join("");
  return svg("svg", { class: `spark series c${color}`, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { d: `${path}L${width} ${height}L0 ${height}Z`, class: "below" }), svg("path", { d: path, class: "line" }));
}

/** The numbers behind a chart. */
export function table(caption, head, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", h("caption", { class: "unseen" }, caption),
      h("thead", h("tr", head.map((text, index) => h("th", { scope: "col", class: index && "number" }, text)))),
      h("tbody", rows.map(row => h("tr", row.map((cell, index) =>
        index ? h("td", { class: "number" }, cell) : h("th", { scope: "row" }, cell)))))));
}

export { kindName };
