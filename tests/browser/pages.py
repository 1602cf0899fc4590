"""Pages that load widgets as Colab and exported notebooks do: by npm name from a CDN, which is played here."""

from __future__ import annotations

import json
import re
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lab import Host
from lab_server import Server
from playwright.sync_api import ConsoleMessage, Page, Route

HERE = Path(__file__).resolve().parent
# Where `make test-hosts` puts what it needs.
HOSTS = HERE.parent.parent / ".venv-hosts"
CDN = re.compile(r"https://(?:unpkg\.com|cdn\.jsdelivr\.net/npm)/(?P<name>(?:@[^/]+/)?[^/@]+)@[^/]*/(?P<path>.+)")
REQUIRE = "https://cdnjs.cloudflare.com/ajax/libs/require.js/"
FONT = re.compile(r"/@jupyter-widgets/(?:html-manager/dist/)?([0-9a-f]+\.\w+)")
MANAGER = "@jupyter-widgets/html-manager"
# The managers look beside the page before they ask a CDN.
BESIDE = re.compile(r"/(?:anywidget|bqplot|bqscales)\.js")

# The manager of ipywidgets 7 looks for the view of a widget that is gone when its last message comes; not that of 8.
LATE = "Cannot read properties of null (reading 'processPhosphorMessage')"


@dataclass(frozen=True)
class Packages:
    """What a CDN has.

    Attributes
    ----------
    requirejs, manager : pathlib.Path
        Archives from npm.
    widgets : pathlib.Path
        An environment's folder of scripts that wheels brought, which are those of the npm packages of the same name.
    version : str
        Of the manager that a page asks for.
    """

    requirejs: Path
    manager: Path
    widgets: Path
    version: str

    def read(self, name: str, path: str) -> bytes | None:
        if name in ("requirejs", MANAGER):
            with tarfile.open(self.requirejs if name == "requirejs" else self.manager) as archive:
                file = archive.extractfile(f"package/{path}")
                return file and file.read()
        script = self.widgets / name / Path(path).relative_to("dist")
        return script.read_bytes() if script.is_file() else None


class StaticPage(Host):
    """A page with widgets; `fetched` are the packages that it asked for, `strange` what nobody should ask for."""

    def __init__(self, page: Page, packages: Packages, lacking: frozenset[str] = frozenset()) -> None:
        super().__init__(page)
        self.fetched: set[str] = set()
        self.strange: list[str] = []
        self._packages = packages
        self._lacking = lacking
        self._html = ""
        self._home = "http://localhost/"
        page.route("**/*", self._answer)

    def open_html(self, html: str) -> None:
        """Open a page with this text, its scripts without the fingerprints of those that a CDN really has."""
        self._html = re.sub(r' integrity="[^"]*"', "", html)
        self.page.goto(self._home)

    def connect(self, server: Server, kernel: str) -> None:
        """Open a page whose manager speaks with a kernel of the server; `run` executes code there."""
        manager = f"https://unpkg.com/{MANAGER}@{self._packages.version}/dist/embed-amd.js"
        scripts = [f"{REQUIRE}2.3.4/require.min.js", manager]
        head = "".join(f'<script src="{script}"></script>' for script in scripts)
        live = (HERE / "live.js").read_text("utf-8")
        # A page that the server itself sends, for no other may open its websocket: the one for what is not there.
        self._home = server.address("nothing")
        self.page.goto(self._home)
        self.errors.clear()
        self.strange.clear()
        self.page.set_content(f"<!doctype html><meta charset=utf-8>{head}<script>{live}</script>")
        socket = server.address(f"api/kernels/{kernel}/channels").replace("http", "ws", 1)
        self.page.evaluate("address => connect(address)", socket)

    def run(self, code: str) -> None:
        """Execute code in the kernel, and show what it displays; raise its error."""
        self.page.evaluate("code => run(code)", code)

    def _on_console(self, message: ConsoleMessage) -> None:
        if LATE not in message.text and not BESIDE.fullmatch(urlsplit(message.location["url"]).path):
            super()._on_console(message)

    def _answer(self, route: Route) -> None:
        url = unquote(route.request.url)
        if url == self._home and self._html:
            route.fulfill(body=self._html, content_type="text/html")
        elif url == self._home or "/favicon." in url:
            route.continue_()
        elif url.startswith(REQUIRE):
            self._fulfill(route, "requirejs", "require.js")
        elif found := CDN.fullmatch(url):
            self._fulfill(route, found["name"], found["path"])
        elif found := FONT.fullmatch(urlsplit(url).path):
            self._fulfill(route, MANAGER, f"dist/{found[1]}")
        else:
            if not BESIDE.fullmatch(urlsplit(url).path):
                self.strange.append(url)
            route.fulfill(status=404)

    def _fulfill(self, route: Route, name: str, path: str) -> None:
        self.fetched.add(name)
        body = None if name in self._lacking else self._packages.read(name, path)
        if body is None:
            route.fulfill(status=404)
        else:
            route.fulfill(body=body, content_type="text/javascript" if path.endswith(".js") else None)


@contextmanager
def started(server: Server, name: str) -> Iterator[str]:
    """The id of a kernel of this kind, which ends with the block."""
    kernel = json.loads(ask(server, "POST", "api/kernels", {"name": name}))["id"]
    try:
        yield kernel
    finally:
        ask(server, "DELETE", f"api/kernels/{kernel}")


def ask(server: Server, method: str, path: str, body: object = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(server.address(path), data, method=method)) as answer:
        return answer.read()
