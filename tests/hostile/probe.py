"""Opens files and reads all that is in them, in a process of its own, and says what it met: a JSON line for each file.

A request is a line of JSON on standard input: ``{"open": path}`` or ``{"mutate": folder, "entry": name, "damages":
[...]}``. Standard output belongs to the answers alone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from audit import Audit
from mutations import damaged

import weight_widgets as ww
from weight_widgets.errors import WeightWidgetsError

MAX_MESSAGE = 600
MAX_READS = 1000
KERNEL = np.arange(6, dtype="f4").reshape(2, 3)
BIAS = np.arange(3, dtype="f4")


def main() -> None:
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    audit = Audit()
    for line in sys.stdin:
        request = json.loads(line)
        for answer in mutate(request, audit) if "mutate" in request else [look(request["open"], audit)]:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def mutate(request: dict[str, Any], audit: Audit) -> Iterator[dict[str, Any]]:
    """One look at the model in the folder for each way to damage it; the folder is as before afterwards."""
    folder = Path(request["mutate"])
    for damage in request["damages"]:
        with damaged(folder, damage):
            yield look(str(folder / request["entry"]), audit)


def look(path: str, audit: Audit) -> dict[str, Any]:
    """Open and read, and tell what is wrong about how that ended."""
    answer: dict[str, Any] = {"complaints": []}
    started = time.monotonic()
    with audit.watching() as events:
        try:
            with ww.open_checkpoint(path) as checkpoint:
                answer["seconds"] = time.monotonic() - started
                answer |= read_all(checkpoint, answer["complaints"])
        except WeightWidgetsError as error:
            answer["error"] = type(error).__name__
            answer["message"] = str(error)[: 2 * MAX_MESSAGE]
            answer["complaints"] += unclear(str(error), path)
        except Exception as error:
            answer["complaints"].append(f"opening raised {foreign(error)}")
    answer.setdefault("seconds", time.monotonic() - started)
    answer["complaints"] += [f"it did: {event}" for event in events]
    answer["descriptors"] = descriptors()
    return answer


def read_all(checkpoint: ww.Checkpoint, complaints: list[str]) -> dict[str, Any]:
    tensors = [(layer, name, tensor) for (layer, name), tensor in checkpoint.tensors.items()]
    tensors += [("", name, tensor) for name, tensor in checkpoint.training.items()]
    if len(tensors) > MAX_READS:
        tensors = tensors[: MAX_READS // 2] + tensors[-MAX_READS // 2 :]
    outcomes: dict[str, list[str]] = {}
    largest, slowest = 0, 0.0
    for layer, name, tensor in tensors:
        started = time.monotonic()
        outcome = read(tensor, f"{layer}/{name}", str(checkpoint.path), complaints)
        slowest = max(slowest, time.monotonic() - started)
        if outcome == "read":
            largest = max(largest, tensor.nbytes)
        if layer.startswith("hostile"):
            outcomes.setdefault("hostile", []).append(outcome)
        outcomes.setdefault("all", []).append(outcome)
    for entry in checkpoint.skipped:
        complaints += unclear(entry.reason, "") if entry.reason else [f"{entry.path[:100]!r} is skipped for no reason"]
    return {
        "tensors": len(tensors),
        "read": outcomes.get("all", []).count("read"),
        "hostile": sorted({*outcomes.get("hostile", [])}),
        "honest": honest(checkpoint),
        "skipped": [entry.path[:200] for entry in checkpoint.skipped[:100]],
        "notes": [str(note)[:300] for note in getattr(checkpoint, "notes", ())][:20],
        "largest": largest,
        "slowest": slowest,
    }


def read(tensor: ww.Tensor, where: str, file: str, complaints: list[str]) -> str:
    """``"read"``, or the error of ours that reading raised."""
    try:
        values = tensor.read()
    except WeightWidgetsError as error:
        complaints += unclear(str(error), file)
        return type(error).__name__
    except Exception as error:
        complaints.append(f"reading {where[:100]!r} raised {foreign(error)}")
        return "foreign"
    if values.shape != tensor.shape or values.dtype != tensor.dtype:
        complaints.append(
            f"{where[:100]!r} is {tensor.dtype} {tensor.shape}, and was read as {values.dtype} {values.shape}"
        )
    return "read"


def honest(checkpoint: ww.Checkpoint) -> bool:
    """Whether the layer that every case of the corpus leaves alone is as it was written."""
    with contextlib.suppress(KeyError, WeightWidgetsError):
        layer = checkpoint["dense"]
        return np.array_equal(layer["kernel"].read(), KERNEL) and np.array_equal(layer["bias"].read(), BIAS)
    return False


def unclear(message: str, path: str) -> list[str]:
    """What is wrong with a sentence for people."""
    found = []
    if len(message) > MAX_MESSAGE:
        found.append(f"a message of {len(message)} characters: {message[:200]}…")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in message):
        found.append(f"control characters in the message {message[:MAX_MESSAGE]!r}")
    # A name that has such characters, or is long, is shown otherwise; its first words are not.
    # What is wrong with a shard names the shard, by its whole path.
    known = (Path(path).name.split("\n")[0].split("\0")[0][:20], str(Path(path).parent)) if path else ("",)
    if not any(part in message for part in known):
        found.append(f"a message that does not name the file: {message[:MAX_MESSAGE]!r}")
    return found


def foreign(error: Exception) -> str:
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
    return f"{type(error).__name__} at {where}: {str(error)[:200]}"


def descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - Path.iterdir keeps its own open for longer
    except OSError:
        return 0


if __name__ == "__main__":
    main()
