"""What is offered where nobody said what to compare: the model files of a folder, and the models of the package."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import ipywidgets as widgets
import pytest
from seen import ATTRIBUTES, HOSTILE, TAGS, TIMEOUT, Page, everything, of_kind, widgets_alive

import weight_widgets as ww
from weight_widgets.reading import folders
from weight_widgets.reading.folders import model_files

BUNDLED = Path(ww.__file__).with_name("models")


@pytest.fixture
def runs(tmp_path: Path, models: Path) -> Path:
    """Return a folder as somebody has it after some trainings."""
    shutil.copy(models / "digits_baseline.h5", tmp_path / "last.h5")
    shutil.copytree(models / "epochs", tmp_path / "epochs")
    (tmp_path / "notes.txt").write_text("0.98")
    (tmp_path / "broken.h5").write_bytes(b"no HDF5")
    for hidden in (".ipynb_checkpoints", "venv/lib/site-packages"):
        (tmp_path / hidden).mkdir(parents=True)
        shutil.copy(models / "digits_baseline.h5", tmp_path / hidden)
    return tmp_path


@pytest.fixture
def picker(runs: Path, monkeypatch: pytest.MonkeyPatch) -> ww.CheckpointPicker:
    monkeypatch.chdir(runs)
    return ww.compare()


def ticks(picker: ww.CheckpointPicker) -> dict[str, widgets.Checkbox]:
    """By the name that stands beside it, without the size."""
    found = [one for one in everything(picker) if isinstance(one, widgets.Checkbox)]
    return {tick.description.rpartition(" · ")[0]: tick for tick in found}


def button(picker: ww.CheckpointPicker, words: str) -> widgets.Button:
    return next(one for one in of_kind(picker, widgets.Button) if one.description.startswith(words))


def said(picker: ww.CheckpointPicker) -> str:
    return " ".join(one.value for one in of_kind(picker, widgets.HTML))


class TestModelFiles:
    def test_those_that_a_walk_finds(self, runs: Path) -> None:
        found = model_files(runs)
        expected = {
            Path(folder, name): Path(folder, name).stat().st_size
            for folder, _, names in os.walk(runs)
            for name in names
            if name.endswith(".h5") and not {".ipynb_checkpoints", "site-packages"} & set(Path(folder).parts)
        }
        assert {file.path: file.nbytes for file in found.files} == expected
        assert found.complete

    def test_the_folder_itself_comes_first_and_numbers_count(self, tmp_path: Path) -> None:
        for name in ("run/1.h5", "10.h5", "9.KERAS", "a.weights.json", "b.safetensors", "c.json"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        names = [file.name for file in model_files(tmp_path).files]
        assert names == ["9.KERAS", "10.h5", "a.weights.json", "b.safetensors", "run/1.h5"]

    def test_links_that_lead_nowhere_or_back(self, runs: Path) -> None:
        before = model_files(runs)
        (runs / "gone.h5").symlink_to(runs / "deleted.h5")
        (runs / "epochs" / "round").symlink_to(runs)
        assert model_files(runs) == before

    def test_a_folder_without_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folders, "MAX_ENTRIES", 5)
        for place in range(8):
            (tmp_path / f"{place}.h5").touch()
        found = model_files(tmp_path)
        assert len(found.files) == 5
        assert not found.complete

    def test_no_such_folder(self, tmp_path: Path) -> None:
        assert model_files(tmp_path / "none").files == ()


class TestPicker:
    def test_what_is_ticked_is_explored_in_the_order_of_the_ticks(self, picker: ww.CheckpointPicker) -> None:
        offered = ticks(picker)
        assert list(offered)[:2] == ["broken.h5", "last.h5"]
        assert button(picker, "Compare").disabled
        tenth = next(name for name in offered if name.startswith("epochs/digits_10"))
        for name in (tenth, "last.h5"):
            offered[name].value = True
        button(picker, "Compare").click()
        assert picker.explorer is not None
        assert list(picker.explorer.checkpoints) == ["digits_10-0.98", "last"]
        assert picker.explorer.selection.reference == "digits_10-0.98"
        assert picker.children == (picker.explorer,)
        assert picker.explorer.wait(TIMEOUT)
        picker.close()

    @pytest.mark.parametrize("picked", [True, False])
    def test_no_widget_is_left_of_it(self, picked: bool, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(runs)
        gc.collect()
        before = widgets_alive()
        picker = ww.compare()
        for words in ("epochs", ""):
            next(one for one in of_kind(picker, widgets.Text)).value = words
        if picked:
            ticks(picker)["last.h5"].value = True
            button(picker, "Compare").click()
            assert picker.explorer.wait(TIMEOUT)
        picker.close()
        assert widgets_alive() == before

    def test_words_narrow_what_is_offered_and_keep_what_is_ticked(self, picker: ww.CheckpointPicker) -> None:
        ticks(picker)["last.h5"].value = True
        search = next(one for one in of_kind(picker, widgets.Text))
        search.value = "EPOCHS digits_1"
        assert list(ticks(picker)) == ["last.h5", "epochs/digits_10-0.98.weights.h5"]
        assert ticks(picker)["last.h5"].value
        ticks(picker)["last.h5"].value = False
        search.value = ""
        assert button(picker, "Compare").disabled
        assert len(ticks(picker)) == 12

    def test_a_file_that_is_none_is_told_and_the_ticks_stay(self, picker: ww.CheckpointPicker) -> None:
        ticks(picker)["broken.h5"].value = True
        button(picker, "Compare").click()
        assert picker.explorer is None
        assert "is not an HDF5 file" in said(picker)
        assert ticks(picker)["broken.h5"].value

    def test_searching_again_finds_what_came_since(self, picker: ww.CheckpointPicker, runs: Path) -> None:
        ticks(picker)["last.h5"].value = True
        ticks(picker)["broken.h5"].value = True
        (runs / "broken.h5").unlink()
        shutil.copy(runs / "last.h5", runs / "new.keras")
        button(picker, "Search").click()
        assert {"last.h5", "new.keras"} < set(ticks(picker))
        assert [name for name, tick in ticks(picker).items() if tick.value] == ["last.h5"]
        assert button(picker, "Compare").description == "Compare 1"

    def test_an_empty_folder_says_so_and_has_the_examples(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        picker = ww.compare()
        assert "No model file is here" in said(picker)
        button(picker, "Show examples").click()
        assert picker.explorer is not None
        picker.close()

    def test_names_of_files_are_text(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        names = [name for name in HOSTILE if len(name) < 80 and not {"/", "\0", "\udc80"} & set(name)]
        for name in names:
            (tmp_path / f"{name}.h5").write_bytes(b"no HDF5")
        picker = ww.compare()
        offered = [one for one in everything(picker) if isinstance(one, widgets.Checkbox)]
        assert len({tick.description for tick in offered}) == len(names) >= 6
        for tick in offered:
            tick.value = True
            button(picker, "Compare").click()
            page = Page(said(picker))
            assert page.tags <= TAGS
            assert page.attributes <= ATTRIBUTES
            assert (page.text + tick.description).isprintable()
            tick.value = False


class TestDemo:
    def test_shows_the_models_that_come_with_the_package(self) -> None:
        explorer = ww.demo()
        assert [checkpoint.path.name for checkpoint in explorer.checkpoints.values() if checkpoint.path] == [
            "digits_baseline.h5",
            "digits_finetuned.h5",
            "digits_dropout.h5",
            "digits_dead.h5",
        ]
        assert explorer.wait(TIMEOUT)
        assert explorer.verdicts["fine-tuned"].weights == "shared origin"
        assert explorer.findings.result is not None
        assert {one.rule for one in explorer.findings.result.found if one.checkpoint == "high rate"} >= {"silent-units"}
        explorer.close()

    def test_they_are_those_of_the_examples(self, models: Path) -> None:
        bundled = {path.name: path.read_bytes() for path in BUNDLED.iterdir()}
        assert len(bundled) == 4
        assert bundled == {name: (models / name).read_bytes() for name in bundled}
