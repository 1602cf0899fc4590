"""Names that were chosen to do harm, opened in JupyterLab: they are text, they are seen, and all can be chosen."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

import h5py
import numpy as np
import pytest
from accessible import sticking_out
from explorer import Explorer
from lab import Lab
from playwright.sync_api import Locator

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
    # Written from right to left.
    "שכבה": "שכבה",
}
# Of a class that falls into parts, and with a value that a rule speaks of.
DENSE = f"{HARM} units"
LABELS = (f"\udc80{HARM}", f"\u202e$x$ {HARM}")
SAYS = """([place, name]) => [...document.querySelectorAll(place)]
    .some(({ textContent, ariaLabel }) => (textContent + ariaLabel).includes(name))"""
TURNING = """() => [...document.querySelectorAll(".weight-widgets, .weight-widgets *")]
    .flatMap(({ childNodes, attributes }) => [...childNodes, ...attributes])
    .map(({ nodeValue }) => nodeValue)
    .filter(text => /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text ?? ""))"""


@pytest.fixture(scope="module")
def opened(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    path = tmp_path_factory.mktemp("hostile") / "a.h5"
    with h5py.File(path, "w") as file:
        layers = [{"class_name": HARM, "config": {"name": name}} for name in LAYERS]
        layers.append({"class_name": "Dense", "config": {"name": DENSE, "units": 4, "activation": HARM}})
        file.attrs["model_config"] = json.dumps({"class_name": HARM, "config": {"name": HARM, "layers": layers}})
        file.attrs["keras_version"] = HARM
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [*LAYERS, DENSE]
        group = root.create_group(DENSE)
        group.attrs["weight_names"] = [f"{HARM}/kernel:0"]
        group[f"{HARM}/kernel:0"] = np.where(np.arange(12).reshape(3, 4) == 5, np.nan, np.arange(12).reshape(3, 4))
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
    assert len(set(options)) == len(LAYERS) + 1
    assert [option for option, seen in zip(options, LAYERS.values(), strict=False) if not option.startswith(seen)] == []
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
    assert f"{len(LAYERS)} things left out" in summary.inner_text()
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


def test_every_pane_shows_them_as_text(opened: Explorer) -> None:
    page = opened.lab.page
    for name in ("compare", "scatter", "parts", "spectrum", "findings"):
        page.locator(f".ww-show-{name}").click()
    for trait, index in (("reference", 0), ("other", 1), ("layer", len(LAYERS))):
        page.locator(f".ww-choose-{trait} select").first.select_option(index=index)
    opened.await_shown(DENSE, "kernel")
    page.locator(".ww-spectrum").get_by_role("button", name="Compute").click()
    page.locator(".ww-set-scope select").select_option(label="all layers")
    one, other = f"⟨U+DC80⟩{HARM}", f"⟨U+202E⟩$x$ {HARM}"
    shown = {
        ".ww-histogram": one,
        ".ww-heatmap": other,
        ".ww-verdicts": one,
        ".ww-compare tbody": DENSE,
        ".ww-compare .ww-settings": DENSE,
        ".ww-scatter": one,
        ".ww-parts svg[role=img]": DENSE,
        ".ww-spectrum": one,
        ".ww-findings tbody": DENSE,
        ".ww-table tbody": DENSE,
        ".ww-overview": DENSE,
        ".ww-status": DENSE,
    }
    for place, name in shown.items():
        # Titles have room for half of it.
        page.wait_for_function(SAYS, arg=[place, name[:12]])
    # Nothing that turns the writing around reaches the page, in a hint or a name for screen readers either.
    assert page.evaluate(TURNING) == []


def test_names_from_right_to_left_stay_in_their_places(opened: Explorer) -> None:
    page = opened.lab.page
    page.locator(".ww-choose-layer select").first.select_option(index=list(LAYERS).index("שכבה"))
    names = page.locator(".ww-status [role=status] bdi")
    names.nth(1).wait_for()
    opened.eventually(lambda: check_order(names))


def check_order(names: Locator) -> None:
    first, second = (names.nth(place).bounding_box() for place in range(2))
    assert first is not None
    assert second is not None
    assert first["x"] + first["width"] <= second["x"]


def test_a_long_name_can_be_read_in_full(opened: Explorer) -> None:
    page = opened.lab.page
    name = "L" * 9_999 + "1"
    page.locator(".ww-choose-layer select").first.select_option(index=list(LAYERS).index(name))
    whole = page.locator(".ww-whole-names")
    whole.locator("summary").focus()
    page.keyboard.press("Enter")
    assert whole.locator("li").all_inner_texts() == [name]
    assert sticking_out(page, ".weight-widgets") == []
    page.locator(".ww-choose-layer select").first.select_option(index=0)
    whole.wait_for(state="hidden")
