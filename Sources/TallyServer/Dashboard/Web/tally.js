// SPDX-License-Identifier: Apache-2.0
// Counts <a data-tally-banner="42">: an impression when half of it was visible for a second, and clicks.
(() => {
  const base = document.currentScript.src.replace(/tally\.js.*/, "v1/beacon/");
  const pending = new Set(), timers = new Map(), seen = new Set();
  const wait = ms => new Promise(done => setTimeout(done, ms));
  // Each event has an id: it counts once, however often it is sent.
  const count = async (element, kind) => {
    const id = [...crypto.getRandomValues(new Uint8Array(12))].map(byte => byte.toString(36)).join("");
    const url = `${base}${element.dataset.tallyBanner}?kind=${kind}&id=${id}`;
    pending.add(url);
    for (let tries = 0; tries < 6 && pending.has(url); tries++) {
      const { status } = await fetch(url, { method: "POST", keepalive: true, credentials: "omit" }).catch(() => ({}));
      // Sent again only when it may help.
      if (status && status < 500) pending.delete(url);
      else await wait(1000 * 2 ** tries);
    }
  };
  // What is not known to have arrived is sent once more when the page goes.
  addEventListener("pagehide", () => pending.forEach(url => navigator.sendBeacon(url)));
  addEventListener("click", event => {
    const element = event.target.closest?.("[data-tally-banner]");
    if (element) count(element, "click");
  }, true);
  const observer = new IntersectionObserver(entries => entries.forEach(({ target, intersectionRatio }) => {
    clearTimeout(timers.get(target));
    if (intersectionRatio < .5 || document.hidden) return;
    timers.set(target, setTimeout(() => {
      if (document.hidden || seen.has(target)) return;
      seen.add(target);
      observer.unobserve(target);
      count(target, "impression");
    }, 1000));
  }), { threshold: [.5] });
  const each = work => document.querySelectorAll("[data-tally-banner]").forEach(element => seen.has(element) || work(element));
  const watch = () => each(element => observer.observe(element));
  const begin = () => {
    watch();
    new MutationObserver(watch).observe(document, { childList: true, subtree: true });
    document.addEventListener("visibilitychange", () => {
      // Whoever observes anew is told anew what is visible.
      each(element => observer.unobserve(element));
      watch();
    });
  };
  if (document.prerendering) document.addEventListener("prerenderingchange", begin);
  else begin();
})();
