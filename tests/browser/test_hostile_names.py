"""Names that were chosen to do harm, opened in JupyterLab: they are text, they are seen, and all can be chosen."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

import h5py
import numpy as np
import pytest
from explorer import Explorer
from lab import Lab

HARM = "<img src=x onerror=window.harmed=1>"
# By the name in the file what a reader sees of it.
LAYERS = {
    HARM: HARM,
    "</script><script>harmed=1</script>": "</script><script>harmed=1</script>",
    "$\\href{javascript:harmed=1}{x}$": "$\\href{javascript:harmed=1}{x}$",
    "\x1b[31m\r\n\t\x7f": "␛[31m␍␊␉␡",
    "gnp.\u202eexe": "gnp.⟨U+202E⟩exe",
    "\u2066\u200b\u2028\x85": "⟨U+2066⟩⟨U+200B⟩⟨U+2028⟩⟨U+0085⟩",
    "caf\u00e9": "café",
    "cafe\u0301": "café",
    "L" * 9_999 + "1": "L" * 23 + "…" + "L" * 22 + "1",
    "L" * 9_998 + "x1": "L" * 23 + "…" + "L" * 21 + "x1",
    "L" * 4_999 + "x" + "L" * 4_999 + "1": "L" * 23 + "…" + "L" * 22 + "1",
    " ": "␣",
}
LABELS = (f"\udc80{HARM}", f"\u202e$x$ {HARM}")


@pytest.fixture(scope="module")
def opened(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    path = tmp_path_factory.mktemp("hostile") / "a.h5"
    with h5py.File(path, "w") as file:
        layers = [{"class_name": HARM, "config": {"name": name}} for name in LAYERS]
        file.attrs["model_config"] = json.dumps({"class_name": HARM, "config": {"name": HARM, "layers": layers}})
        file.attrs["keras_version"] = HARM
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = list(LAYERS)
        for name in LAYERS:
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{HARM}\n"]
            group[f"{HARM}\n"] = np.ones((2, 3), "f4")
            group[f"{HARM}\u202e"] = h5py.ExternalLink("/etc/passwd", HARM)
    sources = {label: str(path) for label in LABELS} | {HARM: str(path.with_name(f"{HARM}.h5"))}
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare({sources!a})\nexplorer"])
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    yield Explorer(lab)
    assert lab.page.evaluate("'harmed' in window") is False
    assert lab.page.locator(".weight-widgets :is(img, script, a)").count() == 0
    assert lab.errors == []


def test_every_layer_can_be_chosen_and_is_seen(opened: Explorer) -> None:
    options = [option.replace("\xa0", " ") for option in opened.options("layer")]
    assert len(set(options)) == len(LAYERS)
    assert [option for option, seen in zip(options, LAYERS.values(), strict=True) if not option.startswith(seen)] == []
    select = opened.lab.page.locator(".ww-choose-layer select").first
    # The first is chosen already.
    for index, (name, seen) in reversed(list(enumerate(LAYERS.items()))):
        select.select_option(index=index)
        opened.await_shown(seen, f"{HARM}␊")
        assert ast.literal_eval(opened.lab.kernel_eval("ascii(explorer.selection.layer)")) == ascii(name)


def test_models_can_be_chosen_and_are_seen(opened: Explorer) -> None:
    seen = [f"⟨U+DC80⟩{HARM}", f"⟨U+202E⟩$x$ {HARM}"]
    assert [option.replace("\xa0", " ") for option in opened.options("reference")] == seen
    opened.lab.page.locator(".ww-choose-reference select").first.select_option(index=1)
    title = "document.querySelector('.ww-picture-title').textContent.includes('⟨U+202E⟩$x$')"
    opened.lab.page.wait_for_function(title)
    for name in seen:
        # Dollars, which would make a formula of it, are other dollars.
        tick = opened.lab.page.locator(".ww-chip").get_by_role("checkbox", name=name.replace("$", "＄"), exact=True)
        assert tick.is_checked()
    assert opened.lab.page.locator(".ww-status [role=alert]").first.inner_text().count(HARM) == 1


def test_what_was_left_out_unfolds_by_keyboard_and_mouse(opened: Explorer) -> None:
    page = opened.lab.page
    cells = page.locator(".jp-Cell").count()
    remark = page.locator(".ww-remark").first
    summary = remark.locator("summary")
    assert "12 things left out" in summary.inner_text()
    summary.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.ww-remark details').open")
    listed = remark.locator("li").all_inner_texts()
    assert len(listed) == len(LAYERS)
    assert f"{HARM}⟨U+202E⟩" in listed[0]
    assert "links are not followed" in listed[0]
    page.keyboard.press("b")
    assert page.locator(".jp-Cell").count() == cells
    summary.click()
    page.wait_for_function("!document.querySelector('.ww-remark details').open")
