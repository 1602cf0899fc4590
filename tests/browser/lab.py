"""JupyterLab in Chromium, driven by Playwright: what the browser tests and scripts/screenshot.py share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from ensure_chromium import launch_chromium
from lab_server import Server, copy_notebook, free_port, serve
from playwright.sync_api import ConsoleMessage, Dialog, Page, sync_playwright

VIEWPORT = (1360, 900)
TIMEOUT_MS = 30_000
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# Commands are run by name and kernels awaited by promise: clicking through the menus was flaky.
READY = "path => window.jupyterapp?.shell.currentWidget?.context?.path === path"
AWAIT_KERNEL = """async () => {
    const { context, sessionContext } = jupyterapp.shell.currentWidget;
    await context.ready;
    await sessionContext.ready;
    await sessionContext.session.kernel.info;
}"""
STOP_KERNEL = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()"
RUN_ALL = """async () => {
    await jupyterapp.commands.execute("notebook:run-all-cells");
    const cells = jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
    const outputs = cells.flatMap(cell => cell.toJSON().outputs ?? []);
    return outputs.filter(output => output.output_type === "error").map(output => output.traceback.join("\\n"));
}"""
EVALUATE = """async code => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({ code, store_history: false, stop_on_error: false });
    const answer = { value: "", error: null };
    future.onIOPub = ({ header, content }) => {
        if (header.msg_type === "execute_result") answer.value = content.data["text/plain"];
        if (header.msg_type === "error") answer.error = content.traceback.join("\\n");
    };
    await future.done;
    return answer;
}"""
SET_THEME = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
THEME_SHOWN = "light => document.body.dataset.jpThemeLight === String(light)"
CONTENT_HEIGHT = """() => {
    const notebook = document.querySelector(".jp-Notebook");
    const cells = notebook.querySelector(".jp-WindowedPanel-outer") ?? notebook;
    return Math.ceil(cells.scrollHeight + innerHeight - cells.clientHeight);
}"""
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class KernelError(Exception):
    """Code that ran in the notebook's kernel raised; the message is its traceback."""


class Host:
    """A page: `page` is Playwright's, `errors` what it and its console complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.set_default_timeout(TIMEOUT_MS)
        # A picture that is replaced while it is read here stays readable: the next look sees the new one.
        page.add_init_script("URL.revokeObjectURL = () => {}")
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def screenshot(self, path: Path, selector: str | None = None) -> None:
        path.write_bytes(self.settled(selector))

    def settled(self, selector: str | None = None) -> bytes:
        """The PNG of the page, or of the first element that matches, once two in a row are the same."""
        target = self.page.locator(selector).first if selector else self.page
        last = b""
        for _ in range(40):
            picture = target.screenshot(animations="disabled", caret="hide")
            if picture == last:
                return picture
            last = picture
            self.page.wait_for_timeout(150)
        raise TimeoutError("the page keeps changing")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location['url']})")


class Lab(Host):
    """A page of JupyterLab, or of Notebook 7, with one notebook open.

    `server` is behind it, `root` the folder that is served; `errors` begin anew with each notebook.
    """

    def __init__(self, page: Page, server: Server, way: str = "doc/tree") -> None:
        super().__init__(page)
        self.server = server
        self.root = server.root
        self._way = way
        page.on("dialog", self._on_dialog)

    def open_notebook(self, source: Path | Sequence[str], name: str = "test.ipynb") -> None:
        """Open a copy of a notebook, or a new one with the given code cells, in a fresh page with a fresh kernel.

        The page is as large as VIEWPORT and light; no cell has run.
        """
        if isinstance(source, Path):
            name = copy_notebook(source, self.root).name
        else:
            write_notebook(self.root / name, source)
        self.page.evaluate(STOP_KERNEL)
        self.set_viewport(*VIEWPORT)
        self.open_again(name)
        self.set_theme("light")
        self.errors.clear()

    def open_again(self, name: str = "test.ipynb") -> None:
        """Load the page anew; the notebook is what was saved of it, and its kernel the one that runs, if one does."""
        self.page.goto(self.server.address(f"{self._way}/{name}", "reset"))
        self.page.wait_for_function(READY, arg=name)
        self.page.evaluate(AWAIT_KERNEL)

    def run_all(self) -> None:
        """Run all cells and await their end; raise KernelError with the traceback of the first one that failed."""
        if tracebacks := self.page.evaluate(RUN_ALL):
            raise KernelError(ANSI.sub("", tracebacks[0]))

    def kernel_eval(self, code: str) -> str:
        """Run code in the notebook's kernel; return the text/plain form of its last expression, "" if it has none."""
        answer = self.page.evaluate(EVALUATE, code)
        if answer["error"] is not None:
            raise KernelError(ANSI.sub("", answer["error"]))
        return str(answer["value"])

    def set_theme(self, theme: str) -> None:
        """Switch to the "light" or the "dark" theme."""
        self.page.evaluate(SET_THEME, THEMES[theme])
        self.page.wait_for_function(THEME_SHOWN, arg=theme == "light")

    def set_viewport(self, width: int, height: int = VIEWPORT[1]) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def fit_viewport(self, width: int) -> None:
        """Make the page as high as the notebook is at this width, so that a screenshot shows all of it."""
        self.set_viewport(width)
        self.settled()
        self.set_viewport(width, self.page.evaluate(CONTENT_HEIGHT))

    def _on_dialog(self, dialog: Dialog) -> None:
        # Leaving a notebook that is not saved asks; nothing else may.
        if dialog.type != "beforeunload":
            self.errors.append(f"{dialog.type}: {dialog.message}")
        dialog.accept()


@contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """Start JupyterLab and Chromium; everything that they write goes into `folder`."""
    root = folder / "root"
    root.mkdir()
    with (
        serve(root, folder / "private", free_port()) as server,
        sync_playwright() as playwright,
        launch_chromium(playwright) as browser,
    ):
        yield Lab(browser.new_page(), server)


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        # Without it JupyterLab asks which kernel to start.
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, path)
