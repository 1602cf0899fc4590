"""Where nobody said what to compare: ticking files, by mouse and by keyboard, and looking at them."""

from __future__ import annotations

import shutil
from pathlib import Path

from explorer import Explorer
from lab import Lab


def test_files_are_ticked_and_explored(lab: Lab, models: Path) -> None:
    shutil.copytree(models / "epochs", lab.root / "epochs", dirs_exist_ok=True)
    lab.open_notebook(["import weight_widgets as ww\npicker = ww.compare()\npicker"])
    lab.run_all()
    page = lab.page
    search = page.get_by_placeholder("Search, e.g.")
    search.click()
    page.keyboard.type("epochs digits_1")
    page.wait_for_function("document.querySelectorAll('.ww-files .widget-checkbox').length === 1")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    # Command mode would have inserted a cell for this letter, or taken the key.
    assert page.locator(".jp-Notebook .jp-Cell").count() == 1
    search.fill("epochs digits_01")
    page.locator(".ww-files").get_by_text("digits_01-0.87").click()
    page.get_by_role("button", name="Compare 2").click()
    Explorer(lab).await_shown("norm_1", "gamma")
    assert lab.kernel_eval("list(picker.explorer.checkpoints)") == "['digits_10-0.98', 'digits_01-0.87']"
    assert lab.errors == []
