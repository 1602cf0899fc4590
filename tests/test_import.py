"""The floors of the house: what imports what, what `import weight_widgets` costs, and what is public."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import weight_widgets as ww

PACKAGE = Path(ww.__file__).parent
HEAVY = (
    "anywidget",
    "bqplot",
    "pandas",
    "scipy",
    "IPython.display",
    "ipywidgets",
    "jax",
    "keras",
    "platformdirs",
    "tensorflow",
    "torch",
)

# The first prefix that fits tells a module's floor; it may import from its own floor and those below.
FLOORS = {
    "processes": 0,
    "display": 0,
    "errors": 0,
    "reading.structure": 1,
    "reading.tensors": 1,
    "reading.roles": 1,
    "reading.arrays": 1,
    "reading.fetching": 1,
    "reading.files": 1,
    "reading.origins": 1,
    "reading": 2,
    "analysis.alignment": 4,
    "analysis.comparing": 4,
    "analysis.comparison": 4,
    "analysis.findings.compose": 4,
    "analysis.overview": 4,
    "analysis.tables": 4,
    "analysis.verdict": 4,
    "analysis": 3,
    "worker": 5,
    "state": 5,
    "panes": 6,
    "picker": 7,
    "app": 7,
}
THIRD_PARTY = {
    0: set(),
    1: {"numpy"},
    2: {"numpy", "h5py"},
    3: {"numpy", "scipy", "platformdirs"},
    4: {"numpy", "scipy", "pandas"},
    5: {"numpy", "traitlets"},
    6: {"numpy", "traitlets", "ipywidgets", "bqplot", "anywidget", "IPython"},
    7: {"ipywidgets"},
}
PANES = {"files", "heatmap", "histogram", "parts", "pickers", "spectrum", "status", "table"}


def run(code: str) -> str:
    """What a fresh interpreter, outside of any checkout, prints."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax tree of every installed module, by its name within the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(name: str) -> Iterator[str]:
    """Full dotted names of all that a module imports, wherever in it."""
    package = ["weight_widgets", *name.split(".")] if name else ["weight_widgets"]
    if (PACKAGE / Path(*name.split("."))).with_suffix(".py").exists():
        package.pop()
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner.removeprefix("weight_widgets.") in modules() else source


def inner_imports(name: str) -> set[str]:
    return {
        found.removeprefix("weight_widgets").removeprefix(".")
        for found in imports(name)
        if found.split(".")[0] == "weight_widgets"
    }


def third_party(name: str) -> set[str]:
    roots = {found.split(".")[0] for found in imports(name)}
    return roots - set(sys.stdlib_module_names) - {"weight_widgets"}


def floor(name: str) -> int:
    return next(number for prefix, number in FLOORS.items() if f"{name}.".startswith(f"{prefix}."))


INNER = [name for name in modules() if name]


class TestFloors:
    def test_every_module_has_one(self) -> None:
        assert {"app", "errors", "panes.heatmap", "reading.hdf5", "state.selection"} <= set(INNER)
        assert all(0 <= floor(name) <= 7 for name in INNER)

    @pytest.mark.parametrize("name", INNER)
    def test_imports_go_downwards_only(self, name: str) -> None:
        assert {found for found in inner_imports(name) if not found or floor(found) > floor(name)} == set()

    @pytest.mark.parametrize("name", INNER)
    def test_third_parties_belong_to_the_floor(self, name: str) -> None:
        assert third_party(name) <= THIRD_PARTY[floor(name)]

    def test_there_are_no_rings(self) -> None:
        open_, done = set(), set()

        def visit(name: str) -> None:
            assert name not in open_, f"{name} imports itself by way of others"
            if name in done:
                return
            open_.add(name)
            for found in inner_imports(name) & set(INNER):
                visit(found)
            open_.remove(name)
            done.add(name)

        for name in INNER:
            visit(name)

    def test_one_door_to_hdf5(self) -> None:
        assert [name for name in INNER if "h5py" in third_party(name)] == ["reading.hdf5.child"]
        # That one runs in a process of its own: nothing imports it.
        assert not any("reading.hdf5.child" in inner_imports(name) for name in INNER)

    def test_measuring_knows_no_file(self) -> None:
        measuring = [name for name in INNER if name.startswith("analysis") and floor(name) == 3]
        measuring = [name for name in measuring if not name.startswith("analysis.cache")]
        found = {source for name in measuring for source in inner_imports(name) if source.startswith("reading")}
        # What a tensor is, the memory that its pieces are read into, and what a configuration says of einsums.
        assert found <= {"reading.contractions", "reading.fetching", "reading.structure", "reading.tensors"}

    def test_panes_do_not_see_each_other_and_read_no_file(self) -> None:
        assert {name.removeprefix("panes.") for name in INNER if name.startswith("panes.")} >= PANES
        for name in INNER:
            if not name.startswith("panes."):
                continue
            sources = inner_imports(name)
            assert not sources & {f"panes.{pane}" for pane in PANES}, name
            assert {source for source in sources if source.startswith("reading")} <= {
                "reading.arrangements",
                "reading.structure",
            }, name

    def test_nothing_imports_the_app_but_the_lazy_root(self) -> None:
        assert [name for name in modules() if "app" in inner_imports(name)] == [""]

    def test_hints_are_written_for_both_versions_of_ipywidgets(self) -> None:
        """Only buttons have a `tooltip` in 7, which Colab has; there others drop it with a warning: see hints.py."""
        calls = [node for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
        given = {ast.unparse(call.func) for call in calls if any(each.arg == "tooltip" for each in call.keywords)}
        assert {"plain.Button"} <= given <= {"plain.Button", "plain.ToggleButton"}


class TestWhatAnImportCosts:
    @staticmethod
    def loaded(code: str) -> set[str]:
        return set(run(f"{code}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))").split())

    def test_the_package_alone(self) -> None:
        assert self.loaded("import weight_widgets") == set()
        assert run("import weight_widgets, sys; print('numpy' in sys.modules)") == "False"

    def test_reading_and_analysis(self) -> None:
        reading = [f"import weight_widgets.{name}" for name in INNER if name.startswith("reading")]
        analysis = [f"import weight_widgets.{name}" for name in INNER if name.startswith("analysis")]
        code = "\n".join([*reading, "import weight_widgets as ww; ww.open_checkpoint, ww.Checkpoint"])
        assert self.loaded(code) == set()
        code = "\n".join([*reading, *analysis])
        assert self.loaded(code) == {"pandas"}
        assert run(f"{code}\nimport sys; print('traitlets' in sys.modules)") == "False"

    def test_the_explorer_needs_no_keras_and_no_scipy_before_it_draws(self) -> None:
        unneeded = {"jax", "keras", "scipy", "tensorflow", "torch"}
        assert self.loaded("import weight_widgets as ww; ww.compare") & unneeded == set()


class TestPublicNames:
    def test_are_pinned(self) -> None:
        assert ww.__all__ == [
            "Alignment",
            "Checkpoint",
            "CheckpointPicker",
            "ComparePane",
            "FindingsPane",
            "HeatmapPane",
            "HistogramPane",
            "Layer",
            "LayerChooser",
            "ModelChooser",
            "OverviewPane",
            "PartsPane",
            "ScatterPane",
            "Selection",
            "Spectrum",
            "SpectrumPane",
            "StatusLine",
            "TablePane",
            "Tensor",
            "Thresholds",
            "Verdict",
            "VerdictPane",
            "WeightExplorer",
            "WeightWidgetsError",
            "align",
            "clear_cache",
            "compare",
            "compare_table",
            "demo",
            "findings",
            "open_checkpoint",
            "spectrum",
            "unit_norms",
            "verdict",
            "weights_table",
        ]
        assert set(ww.__all__) <= set(dir(ww))

    def test_the_version_is_that_of_the_distribution(self) -> None:
        assert ww.__version__ == importlib.metadata.version("weight-widgets")

    def test_types_are_shipped(self) -> None:
        assert (PACKAGE / "py.typed").exists()

    def test_what_does_not_exist_is_an_attribute_error(self) -> None:
        with pytest.raises(AttributeError, match="no attribute 'comparee'"):
            _ = ww.comparee

    @pytest.mark.parametrize("name", INNER)
    def test_every_module_says_what_it_is_and_holds_what_it_promises(self, name: str) -> None:
        module = importlib.import_module(f"weight_widgets.{name}")
        assert (module.__doc__ or "").strip()
        for promised in getattr(module, "__all__", ()):
            assert hasattr(module, promised), promised

    @pytest.mark.parametrize("name", ww.__all__)
    def test_each_has_a_docstring(self, name: str) -> None:
        assert len(inspect.getdoc(getattr(ww, name)) or "") > 40

    @pytest.mark.parametrize("name", ["compare", "open_checkpoint", "spectrum", "unit_norms", "weights_table"])
    def test_functions_document_all_that_goes_in_and_out(self, name: str) -> None:
        function = getattr(ww, name)
        text = inspect.getdoc(function) or ""
        for section in ("Parameters", "Returns", "Raises", "Examples"):
            assert f"\n{section}\n{'-' * len(section)}\n" in text
        documented = text.partition("Parameters\n")[2].partition("Returns\n")[0]
        for parameter in inspect.signature(function).parameters:
            assert f"{parameter} : " in documented

    @pytest.mark.parametrize("name", ["Checkpoint", "Layer", "Selection", "Spectrum", "Tensor", "WeightExplorer"])
    def test_classes_document_their_attributes(self, name: str) -> None:
        assert "\nAttributes\n----------\n" in (inspect.getdoc(getattr(ww, name)) or "")

    @pytest.mark.parametrize("name", ["Checkpoint", "Selection", "Tensor", "WeightExplorer"])
    def test_methods_have_docstrings(self, name: str) -> None:
        public = {key: value for key, value in vars(getattr(ww, name)).items() if not key.startswith("_")}
        methods = [key for key, value in public.items() if inspect.isfunction(value)]
        assert methods
        assert [key for key in methods if not public[key].__doc__] == []
