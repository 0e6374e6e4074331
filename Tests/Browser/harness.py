# SPDX-License-Identifier: Apache-2.0
"""A tally server, a page on another origin, and a headless browser, for the tests in a real browser."""

import contextlib
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parents[2]
TALLY = os.environ.get("TALLY_EXECUTABLE", str(ROOT / ".build/debug/tally"))


class Server:
    """A server over a directory of its own, which outlives a kill."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="tally-browser-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.log = open(os.path.join(self.directory.name, "log"), "ab")
        self.process = subprocess.Popen(
            [TALLY, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", os.path.join(self.directory.name, "data"),
             "--flush-every", "5s", "--visitors", "on"],
            stdout=self.log, stderr=self.log)
        wait_for("the server", lambda: self.ask("/healthz", raw=True))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(timeout=30)
        finally:
            self.log.close()

    def ask(self, path, body=None, method=None, raw=False, headers=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
        except (urllib.error.URLError, ConnectionError):
            return None
        return content.decode() or "ok" if raw else json.loads(content or b"null")

    def total(self, banner, kind):
        found = self.ask(f"/v1/banners/{banner}") or {"totals": []}
        return sum(one["v"] for one in found["totals"] if one["kind"] == kind)


@contextlib.contextmanager
def page_elsewhere(html):
    """Serves the page on another origin than the server's."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{served.server_address[1]}/"
    finally:
        served.shutdown()
        served.server_close()


def wait_for(what, condition, seconds=20):
    """Waits for the thing itself; returns what the condition gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {seconds} s")


class Browser:
    def __init__(self):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        # Containers let neither root nor other users make the sandbox.
        for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--window-size=1440,900", "--lang=en-US"):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"intl.accept_languages": "en-US"})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(60)

    def open(self, url):
        self.driver.get("about:blank")
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector="main"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def wait(self, what, script, *arguments, seconds=20):
        return WebDriverWait(self.driver, seconds, poll_frequency=0.02).until(
            lambda _: self.run("return " + script, *arguments), message=f"{what} did not come")

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def theme(self, name):
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def complaints(self, allowed=()):
        """What the browser wrote into its console since the last call: violations of the policy, errors of scripts."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING") and not any(text in entry["message"] for text in allowed)]
