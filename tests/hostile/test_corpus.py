"""Every file of the corpus is refused with a clear error or read with a stated omission, and harms nobody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import watch
from cases import MARKER, Case, Expectation, Place, make_secrets
from corpus import CASES
from prober import Prober

READ_SECONDS = 10
MEMORY_MIB = 512
SLOW = {"a hundred thousand layers"}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secrets(tmp_path_factory.mktemp("outside") / "secrets")


@pytest.fixture
def place(tmp_path: Path, secrets: Path) -> Iterator[Place]:
    folder = tmp_path / "case"
    folder.mkdir()
    yield Place(folder, secrets)
    # A few of them are hundreds of megabytes, which pytest would keep.
    shutil.rmtree(folder)


@pytest.fixture
def spy(prober: Prober, secrets: Path) -> Iterator[watch.FolderWatch]:
    spy = watch.FolderWatch()
    spy.add(secrets, watch.OPENED | watch.ACCESSED | watch.WRITTEN)
    for name in ("work", "tmp"):
        spy.add(prober.home / name, watch.WRITTEN)
    yield spy
    spy.close()


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name, marks=[pytest.mark.slow] * (name in SLOW)) for name, case in CASES.items()]
)
def test_hostile(
    case: Case, place: Place, prober: Prober, spy: watch.FolderWatch, good: Path, descriptors: int
) -> None:
    path = case.make(place)
    listing = sorted(str(found) for found in place.folder.rglob("*"))
    spy.events()
    answer = next(prober.ask({"open": str(path)}, case.expected.seconds + 2 * READ_SECONDS))
    touched = spy.events()
    after = next(prober.ask({"open": str(good)}, READ_SECONDS + 2))

    wrong = [*judge(answer, case.expected), *harm(answer, descriptors)]
    wrong += [f"it touched {event}" for event in touched]
    if sorted(str(found) for found in place.folder.rglob("*")) != listing:
        wrong.append("it left something in the folder")
    if (prober.home / "work" / MARKER).exists():
        wrong.append("it ran what the file says")
    if not after.get("honest"):
        wrong.append(f"the next file could not be read: {after}")
    assert not wrong, "\n".join([*wrong, str({k: v for k, v in answer.items() if k != "complaints"})])


def judge(answer: dict[str, Any], expected: Expectation) -> list[str]:
    """How the answer differs from what is expected."""
    if "died" in answer:
        return [answer["died"]]
    wrong = list(answer["complaints"])
    if answer["seconds"] > expected.seconds:
        wrong.append(f"opening took {answer['seconds']:.1f} s")
    if "error" in answer:
        if answer["error"] not in expected.errors:
            wrong.append(f"unexpected {answer['error']}: {answer['message']}")
        return wrong
    if "read" not in answer:
        return wrong
    if not expected.opens:
        wrong.append("it opens")
    if expected.opens == "whole" and answer["read"] < answer["tensors"]:
        wrong.append("not all of it can be read")
    if expected.opens in ("whole", "omitted") and not answer["honest"]:
        wrong.append("the honest layer is lost or changed")
    if expected.opens == "omitted" and not omitted(answer):
        wrong.append("the hostile layer is neither refused nor stated")
    return wrong


def omitted(answer: dict[str, Any]) -> bool:
    if answer["hostile"]:
        return "read" not in answer["hostile"]
    return any("hostile" in said for said in (*answer["skipped"], *answer["notes"]))


def harm(answer: dict[str, Any], descriptors: int) -> list[str]:
    """What reading cost that it must not cost."""
    if "died" in answer:
        return []
    wrong = []
    if answer.get("slowest", 0) > READ_SECONDS:
        wrong.append(f"reading one tensor took {answer['slowest']:.1f} s")
    if answer["growth"] > MEMORY_MIB + (answer.get("largest", 0) >> 20):
        wrong.append(f"it took {answer['growth']} MiB")
    if answer["descriptors"] > descriptors:
        wrong.append(f"{answer['descriptors']} open descriptors instead of {descriptors}")
    if answer["children"] > 1:
        wrong.append(f"{answer['children']} child processes")
    return wrong
