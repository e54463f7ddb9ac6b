"""A real Chromium in front of the demo: what it decodes, keeps and takes up again.

Usage: browser.py SERVER CONFIG PORT. Starts and stops the server itself; ends with 1 when something is not as
it should be.
"""

import gzip
import http.client
import json
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from playwright.sync_api import sync_playwright

# What one step may take on a busy machine, in seconds.
PATIENCE = 60
# A name that is not localhost: over plain HTTP a browser trusts it less.
OUTSIDE = "shop.example"
LIST = "/api/products?limit=50"
# What the browser shows of a JSON document.
SHOWN = "document.querySelector('pre').innerText"


class Server:
    """The demo as a process of its own."""

    def __init__(self, program, config, port):
        self.command = [program, "serve", "--config", config, "--listen", f"127.0.0.1:{port}"]
        self.port = port
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        wait_until("the server is ready", self.is_ready)

    def is_ready(self):
        try:
            return self.ask("GET", "/health/ready")[0] == 200
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        expect(self.process.wait(PATIENCE) == 0, "the server ends well")

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, body, {**sent, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())

    def change(self, stock):
        status, body, _ = self.ask("PATCH", "/api/products/1", json.dumps({"stock": stock}))
        expect(status == 200, f"a change is taken: {status} {body}")

    def stock(self):
        return json.loads(self.ask("GET", "/api/products/1?fields=stock")[1])["stock"]


class Line:
    """Connections to the server that can be cut as a network does it."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_up = True
        self.pairs = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                if not self.is_up:
                    raise ConnectionError
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self.pairs.append((client, server))
            threading.Thread(target=self.carry, args=(client, server), daemon=True).start()

    def carry(self, client, server):
        try:
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    (server if end is client else client).sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            client.close()
            server.close()

    def cut(self):
        self.is_up = False
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []

    def mend(self):
        self.is_up = True


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def wait_until(what, holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        expect(time.monotonic() < end, f"within {PATIENCE} s: {what}")
        time.sleep(0.05)


def a_reload_is_a_304(page, server):
    """The browser keeps the answer and asks whether it is still current."""
    seen = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.responseReceivedExtraInfo", lambda event: seen.append(event["statusCode"]))
    url = f"http://localhost:{server.port}{LIST}"
    for expected in (200, 304):
        seen.clear()
        page.goto(url) if expected == 200 else page.reload()
        text = page.evaluate(SHOWN)
        expect(len(json.loads(text)["data"]) == 50, "the whole list is shown")
        expect(expected in seen, f"{expected} on the wire, not {seen}")
    server.change(server.stock() + 1)
    seen.clear()
    page.reload()
    expect(200 in seen and 304 not in seen, f"a change is seen at once: {seen}")
    network.detach()


def every_offered_coding_is_decoded(browser, server):
    """What Chromium offers depends on where it is; each of our answers to it decodes to the same."""
    plain = json.loads(server.ask("GET", LIST)[1])
    for host, offers, expected in (
        ("localhost", {"gzip", "deflate", "br", "zstd"}, "zstd"),
        (OUTSIDE, {"gzip", "deflate"}, "gzip"),
    ):
        page = browser.new_page()
        with page.expect_response(lambda answer: answer.url.endswith(LIST)) as caught:
            page.goto(f"http://{host}:{server.port}{LIST}")
        answer = caught.value
        asked = answer.request.all_headers()["accept-encoding"]
        expect({name.strip() for name in asked.split(",")} == offers, f"{host} offers {asked}")
        coding = answer.all_headers().get("content-encoding")
        expect(coding == expected, f"{host} is sent {coding}")
        expect(json.loads(page.evaluate(SHOWN)) == plain, f"{coding} decodes")
        script = "path => fetch(path).then(answer => answer.json())"
        expect(page.evaluate(script, LIST) == plain, f"{coding} decodes for scripts")
        page.close()
        print(f"  {host}: offers {asked}; is sent {coding}")
    sent = server.ask("GET", LIST, headers={"Accept-Encoding": "gzip"})
    expect(json.loads(gzip.decompress(sent[1])) == plain, "gzip decodes elsewhere too")


LISTEN = """path => {
    window.told = []; window.opened = 0; window.shown = null;
    const load = () => fetch("/api/products/1?fields=stock", {cache: "no-cache"})
        .then(answer => answer.json()).then(row => { window.shown = row.stock; });
    window.source = new EventSource(path);
    source.onopen = () => window.opened++;
    for (const name of ["change", "reset"]) {
        source.addEventListener(name, event => {
            window.told.push([name, event.lastEventId]);
            load().catch(() => {});
        });
    }
}"""


def an_event_source_misses_and_doubles_nothing(browser, server):
    """A network that breaks, and a server that is started anew."""
    line = Line(server.port)
    page = browser.new_page()
    page.goto(f"http://localhost:{line.port}{LIST}")
    page.evaluate(LISTEN, "/api/stream")
    told = lambda: page.evaluate("window.told")
    opened = lambda: page.evaluate("window.opened")
    wait_until("the stream is open", lambda: opened() == 1)
    for stock in (101, 102, 103):
        server.change(stock)
    wait_until("three changes", lambda: len(told()) == 3)

    line.cut()
    for stock in (104, 105):
        server.change(stock)
    line.mend()
    wait_until("it comes back", lambda: opened() == 2)
    server.change(106)
    wait_until("all six changes", lambda: len(told()) >= 6)
    before = told()
    ids = [id for _, id in before]
    expect([name for name, _ in before] == ["change"] * 6, f"changes only: {before}")
    expect(len(set(ids)) == 6, f"none twice: {ids}")
    epochs = {id.split("-")[0] for id in ids}
    places = [int(id.split("-")[1]) for id in ids]
    expect(len(epochs) == 1 and places == sorted(places), f"in order: {ids}")
    wait_until("the page shows the last", lambda: page.evaluate("window.shown") == 106)

    server.stop()
    server.start()
    server.change(107)
    wait_until("it comes back to the new server", lambda: opened() >= 3)
    server.change(108)
    wait_until("a reset and a change", lambda: {"reset", "change"} <= {n for n, _ in told()[6:]})
    wait_until("the page shows the last", lambda: page.evaluate("window.shown") == 108)
    after = told()[6:]
    ids = [id for _, id in after]
    expect(after[0][0] == "reset", f"what was missed is not passed over: {after}")
    expect([name for name, _ in after].count("reset") == 1, f"one reset: {after}")
    expect(len(set(ids)) == len(ids), f"none twice: {ids}")
    expect(page.evaluate("source.readyState") == 1, "the stream is open")
    page.close()


def main():
    program, config, port = sys.argv[1:]
    chromium = shutil.which("chromium")
    server = Server(program, config, int(port))
    server.start()
    try:
        with sync_playwright() as playwright:
            rules = f"--host-resolver-rules=MAP {OUTSIDE} 127.0.0.1"
            browser = playwright.chromium.launch(executable_path=chromium, args=[rules])
            print(f"  Chromium {browser.version}")
            a_reload_is_a_304(browser.new_page(), server)
            print("  a reload is a 304, a change a 200")
            every_offered_coding_is_decoded(browser, server)
            an_event_source_misses_and_doubles_nothing(browser, server)
            print("  an event source misses and doubles nothing")
            browser.close()
        server.stop()
    finally:
        server.process.kill()


if __name__ == "__main__":
    main()
