# SPDX-License-Identifier: Apache-2.0
"""The dashboard and the page script in a real browser. Prints what was measured, and `N passed, N failed`."""

import os
import pathlib
import sys
import time
import traceback

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from harness import ROOT, Browser, Server, page_elsewhere, wait_for

PICTURES = ROOT / ".build/browser"
EVIL = "<img src=x onerror=alert(1)>"
AWAY = ("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_CONNECTION_RESET",
        "net::ERR_EMPTY_RESPONSE")
VIEWS = {"overview": "#/", "banner": "#/banner/42", "banners": "#/banners", "system": "#/system",
         "compared": "#/banner/42+43?range=7d&compare=1"}


def figure(browser, label):
    """The number under a label of the overview."""
    text = browser.run("""
        return [...document.querySelectorAll(".figure")].find(one => one.querySelector("h2").textContent === arguments[0])
            ?.querySelector(".value").textContent ?? ''""", label)
    digits = "".join(character for character in text if character.isdigit())
    return int(digits) if digits else None


def says_how_to_begin_and_shows_the_first_click(browser, server):
    browser.open(server.url + "/")
    browser.wait("the empty state", "document.querySelector('.empty code')?.innerText.includes('/counter/1')")
    browser.wait("the stream", "document.querySelector('#connection.live') != null")
    server.ask("/counter/1", method="POST", raw=True)
    browser.wait("the first click", "document.querySelector('.news').textContent !== ''")
    browser.wait("its row", "document.querySelector('tbody a')?.getAttribute('href') === '#/banner/1'")
    wait_for("the number", lambda: figure(browser, "Clicks today") == 1)


def counts_real_impressions_and_clicks_of_a_page(browser, server):
    html = (ROOT / "docs/example-page.html").read_text().replace("http://127.0.0.1:3000", server.url)
    dashboard = browser.driver.current_window_handle
    browser.open(server.url + "/")
    browser.wait("the stream", "document.querySelector('#connection.live') != null")
    clicks, impressions = figure(browser, "Clicks today") or 0, figure(browser, "Impressions today") or 0
    with page_elsewhere(html) as url:
        browser.driver.switch_to.new_window("tab")
        browser.open(url)
        wait_for("the impression of what is visible", lambda: server.total(42, "impression") == 1)
        assert server.total(43, "impression") == 0, "a banner below the fold counted"
        banner = browser.find("#first")
        for _ in range(25):
            banner.click()
        wait_for("the clicks", lambda: server.total(42, "click") == 25)
        browser.run("document.querySelector('#second').scrollIntoView()")
        wait_for("the impression of the second", lambda: server.total(43, "impression") == 1)
        assert not browser.complaints(), "the page complains"
        browser.driver.close()
    browser.driver.switch_to.window(dashboard)
    browser.driver.execute_cdp_cmd("Page.bringToFront", {})
    wait_for("the number on the dashboard", lambda: figure(browser, "Clicks today") == clicks + 25)
    wait_for("the impressions", lambda: figure(browser, "Impressions today") == impressions + 2)
    assert server.total(42, "impression") == 1, "an impression counted twice"


def a_beacon_whose_answer_is_lost_counts_once(browser, server):
    """The server dies with the answer: the script sends the same id again."""
    html = f'<a id="one" data-tally-banner="50" href="#one">x</a><script src="{server.url}/tally.js"></script>'
    with page_elsewhere(html) as url:
        browser.open(url)
        wait_for("the impression", lambda: server.total(50, "impression") == 1)
        server.kill()
        browser.find("#one").click()
        browser.wait("the failure", "performance.getEntriesByType('resource').filter(one => one.name.includes('kind=click')).length > 0")
        server.start()
        wait_for("the click", lambda: server.total(50, "click") == 1)
    browser.complaints()


def what_is_prefetched_is_shown_and_not_counted(browser, server):
    for header, value in (("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch")):
        assert server.ask("/v1/pixel/60", raw=True, headers={header: value}, method="HEAD") is not None
        server.ask("/v1/beacon/60", body=b"", headers={header: value}, method="POST", raw=True)
    assert server.total(60, "click") == 0
    browser.open(server.url + "/#/system")
    browser.wait("the system", """[...document.querySelectorAll("dt")].find(one => one.textContent.startsWith("Prefetched"))
        ?.nextSibling.textContent === "3" """)


def goes_on_after_a_kill_without_a_gap(browser, server):
    browser.open(server.url + "/")
    wait_for("the numbers", lambda: (figure(browser, "Clicks today") or 0) > 0)
    before = figure(browser, "Clicks today")
    browser.run("""
        window.drops = 0; window.highest = 0;
        new MutationObserver(() => {
            const now = +document.querySelector(".figure .value").textContent.replace(/\\D/g, "");
            if (now < window.highest) window.drops++;
            window.highest = Math.max(window.highest, now);
        }).observe(document.querySelector(".figures"), { childList: true, subtree: true });""")
    sent = 0
    for _ in range(3):
        for _ in range(7):
            server.ask("/counter/70", method="POST", raw=True)
            sent += 1
        server.kill()
        browser.wait("that the server is away", "document.querySelector('#connection.away') != null")
        assert figure(browser, "Clicks today") >= before, "what was known is gone"
        server.start()
        for _ in range(7):
            server.ask("/counter/70", method="POST", raw=True)
            sent += 1
        browser.wait("the stream again", "document.querySelector('#connection.live') != null")
    wait_for("every click", lambda: figure(browser, "Clicks today") == before + sent)
    assert browser.run("return window.drops") == 0, "a number went back"
    assert not browser.complaints(AWAY + ("502", "503")), "errors"


def shows_names_as_they_are(browser, server):
    server.ask("/v1/banners/42", body={"name": EVIL, "target": "https://example.org/"}, method="PUT")
    for view in VIEWS.values():
        browser.open(server.url + "/" + view)
        browser.wait("the view", "document.querySelector('h1') != null && !document.querySelector('main').innerText.includes('Loading')")
        assert browser.run("return document.querySelector('main img')") is None, "a name became an element"
    browser.open(server.url + "/#/banners")
    browser.wait("the name", "document.querySelector('main').innerText.includes(arguments[0])", EVIL)
    assert not browser.complaints(), "the browser complains"


def shows_and_links_ids_that_a_double_cannot_hold(browser, server):
    id = "9007199254740993"
    server.ask(f"/v1/banners/{id}", body={"name": "large id"}, method="PUT")
    server.ask("/v1/events", body=[{"banner": id, "n": 3}], method="POST")
    link = f"document.querySelector('main a[href=\"#/banner/{id}\"]') != null"
    browser.open(server.url + "/#/banners?search=large")
    browser.wait("the exact id", link + f" && document.querySelector('tbody a').textContent === '{id}'")
    browser.open(server.url + "/")
    browser.wait("the link in the table of the highest", link)
    browser.open(server.url + f"/#/banner/{id}")
    browser.wait("its name", "document.querySelector('h1')?.textContent === 'large id'")
    browser.wait("its count", "[...document.querySelectorAll('.figure .value')].some(one => one.textContent === '3')")
    assert not browser.complaints(), "the browser complains"


def renames_and_retargets_a_banner(browser, server):
    browser.open(server.url + "/#/banner/43")
    browser.wait("the form", "document.querySelector('form.card input') != null")
    fields = browser.driver.find_elements("css selector", "form.card input")
    fields[0].send_keys("Renamed")
    fields[1].send_keys("https://example.org/new")
    browser.find("form.card button").click()
    browser.wait("the new name", "document.querySelector('h1').textContent === 'Renamed'")
    assert server.ask("/v1/banners/43")["target"] == "https://example.org/new"
    browser.open(server.url + "/#/banners")
    browser.wait("the form", "document.querySelector('textarea') != null")
    browser.find("textarea").send_keys("Registered here")
    browser.find("form.card button").click()
    browser.wait("its link", "document.querySelector('form.card a')?.textContent.startsWith('Registered here')")


def the_table_and_the_csv_say_what_the_chart_shows(browser, server):
    browser.open(server.url + "/#/banner/42")
    browser.wait("the chart", "document.querySelector('.chart .line') != null")
    browser.find("summary").click()
    browser.wait("the table", "document.querySelectorAll('details tbody tr').length === 60")
    # The browser of these tests has no screen, and says so: its clicks count, and are invalid.
    head = browser.run("return [...document.querySelectorAll('details[open] thead th')].map(one => one.textContent)")
    assert head == ["Time", "All", "Without invalid", "Invalid", "State"], head
    in_table = browser.run("""return [...document.querySelectorAll("details[open] tbody tr")]
        .reduce((sum, row) => sum + +row.children[1].textContent.replace(/\\D/g, ""), 0)""")
    assert in_table == server.total(42, "click"), f"{in_table} in the table"
    csv = browser.run("return fetch(document.querySelector('a[download]').href).then(answer => answer.text())")
    in_csv = sum(int(line.split(",")[5]) for line in csv.splitlines()[1:] if ",click,gross," in line)
    assert in_csv == in_table, f"{in_csv} in the CSV"
    assert browser.run("return document.querySelector('details[open] tbody td:last-child').textContent") == "still counting"


def what_is_invalid_stands_beside_what_was_sent(browser, server):
    person = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"}
    for _ in range(3):
        server.ask("/counter/90", raw=True, headers=person)
    for _ in range(2):
        server.ask("/counter/90", raw=True, headers={"User-Agent": "Googlebot/2.1"})
    browser.open(server.url + "/#/banner/90")
    browser.wait("the figures", "document.querySelector('.figure .quiet')?.textContent === '3 without 2 invalid (bots 2)'")
    assert figure(browser, "Clicks") == 5
    browser.wait("three lines", "document.querySelector('.chart').querySelectorAll('.series').length === 3")
    server.ask("/counter/90", raw=True, headers={"User-Agent": "Googlebot/2.1"})
    browser.wait("the next one, live", "document.querySelector('.figure .quiet')?.textContent === '3 without 3 invalid (bots 3)'")
    browser.run("""const choice = [...document.querySelectorAll(".tools select")].find(one => one.querySelector("[value=net]"));
        choice.value = "net"; choice.dispatchEvent(new Event("change"));""")
    wait_for("the events of persons", lambda: figure(browser, "Clicks") == 3)
    browser.wait("one line", "document.querySelector('.chart').querySelectorAll('.series').length === 1")
    assert server.ask("/v1/status")["invalid"][0]["v"] >= 3
    browser.open(server.url + "/#/system")
    browser.wait("the system", """[...document.querySelectorAll("dt")].some(one => one.textContent === "Invalid, bots")""")
    assert not browser.complaints(), "the browser complains"


def unique_visitors_are_shown(browser, server):
    for visit in range(12):
        server.ask("/counter/91", raw=True, headers={"User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) Firefox/{visit % 6}"})
    browser.open(server.url + "/#/banner/91")
    wait_for("the clicks", lambda: figure(browser, "Clicks") == 12)
    # Two of the six may share a register.
    wait_for("the visitors", lambda: figure(browser, "Unique visitors") in (4, 5, 6))
    assert "an estimate" in browser.run("return document.querySelector('.figures').textContent")
    assert not browser.complaints(), "the browser complains"


def everything_is_reached_by_keyboard(browser, server):
    browser.open(server.url + "/#/banner/42")
    browser.wait("the chart", "document.querySelector('.chart .line') != null")
    reached = []
    for _ in range(40):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        reached.append(browser.run("""const one = document.activeElement;
            return one.className === "chart" ? "chart" : one.textContent.trim() || one.type || one.tagName"""))
    for wanted in ("Overview", "Banners", "System", "Русский", "Last hour", "30 days", "Add", "chart", "Table", "Save", "Copy"):
        assert any(wanted in one for one in reached), f"{wanted} is not reached: {reached}"
    browser.run("document.querySelector('.chart').focus()")
    ActionChains(browser.driver).send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT).perform()
    browser.wait("the reading", "!document.querySelector('.reading').hidden")
    assert "Clicks" in browser.text(".chart .unseen") or browser.run("return document.querySelector('.chart .unseen').textContent")
    ActionChains(browser.driver).send_keys("+").perform()
    browser.wait("the zoom", "location.hash.includes('range=custom')")
    browser.wait("the chart", "document.querySelector('.chart .line') != null")
    browser.run("document.querySelector('.chart').focus()")
    span = "(new URLSearchParams(location.hash.split('?')[1]))"
    length = browser.run(f"return Date.parse({span}.get('to')) - Date.parse({span}.get('from'))")
    ActionChains(browser.driver).send_keys("-").perform()
    browser.wait("a wider range", f"Date.parse({span}.get('to')) - Date.parse({span}.get('from')) > arguments[0]", length)


def speaks_both_languages_and_remembers(browser, server):
    server.ask("/v1/events", body=[{"banner": 42, "n": 12345}], method="POST")
    browser.open(server.url + "/#/banner/42")
    browser.wait("English numbers", "document.querySelector('.value')?.textContent.includes(',')")
    browser.find("#language").click()
    browser.wait("Russian", "document.querySelector('nav').textContent.includes('Обзор')")
    browser.open(server.url + "/#/banner/42")
    browser.wait("Russian again", "document.documentElement.lang === 'ru'")
    browser.wait("Russian numbers", "/^12\\s\\d{3}$/.test(document.querySelector('.value')?.textContent)")
    browser.wait("Russian words", "document.querySelector('main').innerText.includes('Клики')")
    assert browser.run("return document.querySelector('main').innerText.includes('Clicks')") is False
    browser.find("#language").click()
    browser.wait("English", "document.documentElement.lang === 'en'")


def a_click_moves_the_chart_within_a_second_and_a_half(browser, server):
    browser.open(server.url + "/")
    browser.wait("the stream", "document.querySelector('#connection.live') != null && document.querySelector('.chart .line') != null")
    times = browser.driver.execute_async_script("""
        const done = arguments[0], picture = document.querySelector(".chart > svg"), times = [];
        const value = () => picture.querySelector(".dot.open")?.getAttribute("cy") + picture.getAttribute("aria-label");
        (async () => {
            for (let round = 0; round < 25; round++) {
                await new Promise(after => setTimeout(after, 37 * round % 1000));
                const before = value(), start = performance.now();
                const moved = new Promise(after => {
                    const watch = new MutationObserver(() => { if (value() !== before) { watch.disconnect(); requestAnimationFrame(after); } });
                    watch.observe(picture, { childList: true, subtree: true, attributes: true });
                });
                await fetch("/counter/80", { method: "POST" });
                await moved;
                times.push(performance.now() - start);
            }
            done(times.sort((a, b) => a - b));
        })();""")
    p95 = times[int(len(times) * 0.95)]
    print(f"    from a click to the moved chart: median {times[len(times) // 2]:.0f} ms, p95 {p95:.0f} ms, of {len(times)}")
    assert p95 < 1500


def pages_that_were_left_hold_no_connection(browser, server):
    """A browser has six connections for a server, and keeps pages that were left for the way back."""
    for _ in range(8):
        browser.driver.get(server.url + "/#/banner/42")
        browser.wait("the stream", "document.querySelector('#connection.live') != null")
        browser.driver.get(server.url + "/tally.js")
    browser.open(server.url + "/")
    status = browser.driver.execute_async_script("fetch('/healthz').then(answer => arguments[0](answer.status))")
    assert status == 200


def weighs_little(browser, server):
    browser.open(server.url + "/")
    for view in VIEWS.values():
        browser.run("location.hash = arguments[0]", view)
        browser.wait("the view", "document.querySelector('h1') != null")
    names = browser.run("""return ["/", ...new Set(performance.getEntriesByType("resource").map(one => new URL(one.name).pathname))]""")
    files = [name for name in names if name == "/" or name.startswith("/dashboard/")]
    assert len(files) == 11, files
    headers = {"Accept": "text/html"}
    sizes = {name: len(server.ask(name, raw=True, headers=headers).encode()) for name in files}
    script = len(server.ask("/tally.js", raw=True).encode())
    print(f"    page weight: {sum(sizes.values())} bytes for all views in one language; tally.js {script} bytes")
    # Russian is the heavier one.
    heavier = len(server.ask("/dashboard/ru.js", raw=True).encode()) - sizes["/dashboard/en.js"]
    assert sum(sizes.values()) + heavier < 60000
    assert script < 2000
    assert all(name.startswith("/") for name in names)


def works_with_many_banners(browser, server):
    for first in range(0, 100_000, 1_000):
        server.ask("/v1/banners", body={"names": [f"campaign {number}" for number in range(first, first + 1_000)]}, method="POST")
    browser.open(server.url + "/#/banners")
    browser.wait("the first page", "document.querySelectorAll('tbody tr').length === 50")
    browser.find(".search input").send_keys("campaign 98765")
    start = time.monotonic()
    browser.wait("the search", "document.querySelectorAll('tbody tr').length === 1 && document.querySelector('tbody').innerText.includes('98765')")
    print(f"    search among 100,000 banners: {(time.monotonic() - start) * 1000:.0f} ms until shown")
    browser.open(server.url + "/")
    browser.wait("the overview", "document.querySelector('.value') != null")
    assert not browser.complaints()


def follows_the_rules_of_axe(browser, server):
    axe = pathlib.Path(os.environ["AXE"]).read_text()
    failures = []
    for theme in ("light", "dark"):
        browser.theme(theme)
        for name, view in VIEWS.items():
            browser.open(server.url + "/" + view)
            browser.wait("the view", "document.querySelector('h1') != null && !document.querySelector('main').innerText.includes('Loading')")
            browser.run(axe)
            result = browser.driver.execute_async_script("axe.run(document).then(arguments[0])")
            failures += [f"{name} {theme}: {one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])}) "
                         f"{one['nodes'][0]['failureSummary'][:160]}" for one in result["violations"]]
    browser.theme("light")
    browser.complaints()
    assert not failures, "\n".join(failures)


def no_view_is_wider_than_its_screen(browser, server):
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        browser.theme(theme)
        for width, height in ((390, 844), (1440, 900)):
            browser.size(width, height)
            for name, view in VIEWS.items():
                browser.open(server.url + "/" + view)
                browser.wait("the view", "document.querySelector('h1') != null && !document.querySelector('main').innerText.includes('Loading')")
                browser.driver.save_screenshot(str(PICTURES / f"{name}-{theme}-{width}.png"))
                assert browser.run("return document.documentElement.scrollWidth") <= width, f"{name} at {width}"
    browser.theme("light")
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def a_stop_does_not_wait_for_those_who_watch(browser, server):
    browser.open(server.url + "/")
    browser.wait("the stream", "document.querySelector('#connection.live') != null")
    start = time.monotonic()
    assert server.stop() == 0
    took = time.monotonic() - start
    print(f"    stop with a stream open: {took:.2f} s")
    assert took < 4, f"the stop took {took:.1f} s"
    server.start()
    browser.wait("the stream again", "document.querySelector('#connection.live') != null")
    browser.complaints()


TESTS = [
    says_how_to_begin_and_shows_the_first_click, counts_real_impressions_and_clicks_of_a_page,
    what_is_prefetched_is_shown_and_not_counted, a_beacon_whose_answer_is_lost_counts_once,
    goes_on_after_a_kill_without_a_gap, shows_names_as_they_are,
    shows_and_links_ids_that_a_double_cannot_hold, renames_and_retargets_a_banner,
    the_table_and_the_csv_say_what_the_chart_shows, what_is_invalid_stands_beside_what_was_sent, unique_visitors_are_shown,
    everything_is_reached_by_keyboard, speaks_both_languages_and_remembers,
    pages_that_were_left_hold_no_connection, a_click_moves_the_chart_within_a_second_and_a_half, weighs_little, follows_the_rules_of_axe,
    no_view_is_wider_than_its_screen, a_stop_does_not_wait_for_those_who_watch, works_with_many_banners,
]


def main():
    wanted = sys.argv[1:]
    tests = [test for test in TESTS if not wanted or any(text in test.__name__ for text in wanted)]
    server = Server()
    browser = Browser()
    failed = 0
    try:
        for test in tests:
            start = time.monotonic()
            try:
                test(browser, server)
                print(f"  passed  {test.__name__.replace('_', ' ')} ({time.monotonic() - start:.1f} s)", flush=True)
            except Exception:
                failed += 1
                traceback.print_exc()
                print(f"  FAILED  {test.__name__.replace('_', ' ')}", flush=True)
                for line in browser.complaints()[:10]:
                    print(f"    the browser says: {line}")
                PICTURES.mkdir(parents=True, exist_ok=True)
                browser.driver.save_screenshot(str(PICTURES / f"failed-{test.__name__}.png"))
    finally:
        browser.driver.quit()
        server.process.kill()
        server.process.wait()
    print(f"Browser tests: {len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
