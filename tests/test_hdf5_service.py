"""The process that lists HDF5 files: it is one, it dies with us, and whatever happens to it the next file is read."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from weight_widgets.errors import DamagedFileError, WeightWidgetsError
from weight_widgets.reading.files import stored_file
from weight_widgets.reading.hdf5 import read_tree
from weight_widgets.reading.hdf5 import service as hdf5_service

posix = pytest.mark.skipif(os.name != "posix", reason="signals and fork")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.h5"
    # What h5py writes without being asked is listed without the process.
    with h5py.File(path, "w", libver="latest") as written:
        written["values"] = np.arange(6.0)
    return path


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    hdf5_service.stop()


def listed(path: Path) -> list[str]:
    return [*read_tree(stored_file(path)).datasets]


def process() -> subprocess.Popen[bytes]:
    """The one that the next request goes to."""
    found = hdf5_service._idle.queue[-1].process
    assert found is not None
    return found


def process_id() -> int:
    return process().pid


def test_one_process_serves_one_thread(file: Path) -> None:
    found = {(listed(file)[0], process_id()) for _ in range(5)}
    assert len(found) == 1


def test_threads_take_turns(file: Path) -> None:
    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(listed(file))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [["values"]] * 8
    assert len(hdf5_service._idle.queue) == hdf5_service.PROCESSES


@posix
def test_killed_between_two_requests(file: Path) -> None:
    listed(file)
    first = process_id()
    os.kill(first, signal.SIGKILL)
    process().wait()
    assert listed(file) == ["values"]
    assert process_id() != first


@posix
def test_killed_in_the_middle_of_a_request(file: Path) -> None:
    """A stopped process holds the request open until it is killed."""
    listed(file)
    os.kill(process_id(), signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (process_id(), signal.SIGKILL)).start()
    with pytest.raises(DamagedFileError, match=r"file\.h5.*ended while it read the file"):
        listed(file)
    assert listed(file) == ["values"]


@posix
def test_one_that_hangs_is_killed_in_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(file)
    monkeypatch.setattr(hdf5_service, "SECONDS", 0.3)
    os.kill(process_id(), signal.SIGSTOP)
    with pytest.raises(DamagedFileError, match=r"file\.h5.*took longer than"):
        listed(file)
    monkeypatch.undo()
    assert listed(file) == ["values"]


def test_an_interrupt_leaves_no_answer_for_the_next_request(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w", libver="latest") as written:
        written["others"] = np.arange(3.0)

    def interrupted(answer: Any) -> None:
        raise KeyboardInterrupt

    source = stored_file(file)
    request = {"path": str(file), "span": None, "identity": source.identity}
    with pytest.raises(KeyboardInterrupt):
        hdf5_service.ask(request, interrupted)
    assert listed(other) == ["others"]


def test_no_python_to_start(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(file.parent / "no python"))
    with pytest.raises(WeightWidgetsError, match="cannot be started"):
        listed(file)


@posix
def test_a_python_that_ends_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(WeightWidgetsError, match="cannot be started: it ended at once"):
        listed(file)


def run(code: str, folder: Path, *arguments: str) -> str:
    """What a script in `folder` prints, run as a user would, without a guard around its main part."""
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


ONE_FILE = """
import sys
from pathlib import Path
from weight_widgets.reading.hdf5 import service as hdf5_service
from weight_widgets.reading.files import stored_file
from weight_widgets.reading.hdf5 import read_tree

def listed():
    return [*read_tree(stored_file(Path(sys.argv[1]))).datasets]

"""


def test_modules_beside_the_notebook_are_not_imported(file: Path, tmp_path: Path) -> None:
    """A kernel runs in the notebook's folder, which may have come with the file."""
    for name in ("h5py", "numpy", "json", "weight_widgets"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w')", encoding="utf-8")
    # As in a kernel that has imported all of its own before it came here.
    code = f"import sys; here = sys.path.pop(0)\n{ONE_FILE}sys.path.insert(0, '')\nprint(listed())"
    assert run(code, tmp_path, str(file)).strip() == "['values']"
    assert not (tmp_path / "imported").exists()


def test_it_ends_with_the_script_that_needed_it(file: Path, tmp_path: Path) -> None:
    """As also when that ends without a goodbye."""
    for ending in ("", "import os; sys.stdout.flush(); os._exit(0)"):
        code = f"{ONE_FILE}listed()\nprint(hdf5_service._idle.queue[-1].process.pid)\n{ending}"
        child = int(run(code, tmp_path, str(file)))
        while _runs(child):
            pass


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z")


@posix
def test_a_forked_copy_starts_its_own(file: Path, tmp_path: Path) -> None:
    # Since Python 3.12 whoever forks beside a thread is warned, and one watches over the process.
    code = f"""{ONE_FILE}
import os, warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded")
listed()
first = hdf5_service._idle.queue[-1].process.pid
if os.fork() == 0:
    assert listed() == ["values"] and hdf5_service._idle.queue[-1].process.pid != first
    hdf5_service.stop()
    os._exit(0)
assert os.wait()[1] == 0
assert listed() == ["values"] and hdf5_service._idle.queue[-1].process.pid == first
print("both")
"""
    assert run(code, tmp_path, str(file)).strip() == "both"


def test_the_notebooks_own_process_never_loads_the_library(file: Path, tmp_path: Path) -> None:
    assert run(f"{ONE_FILE}listed()\nprint('h5py' in sys.modules)", tmp_path, str(file)).strip() == "False"


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux tells a process' limits")
def test_its_memory_is_bounded_and_it_writes_no_files(file: Path) -> None:
    listed(file)
    lines = Path(f"/proc/{process_id()}/limits").read_text(encoding="ascii").splitlines()
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines[1:]}
    assert int(limits["Max address space"]) < 4 << 30
    assert limits["Max file size"] == "0"
    assert limits["Max core file size"] == "0"
    assert int(limits["Max cpu time"]) < 200
