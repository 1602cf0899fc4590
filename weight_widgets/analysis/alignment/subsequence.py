"""The longest common subsequence of two sequences, exactly and fast enough for thousands of layers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

__all__ = ["common_subsequence"]


def common_subsequence(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The positions in `a` and in `b` of a longest common subsequence, both rising.

    Notes
    -----
    One row of the table of dynamic programming is one whole number, as in Hyyrö, "Bit-parallel LCS-length computation
    revisited" (2004); all rows are kept, so that the way back through them can be found.
    """
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    inner = _by_table(a[start : len(a) - end], b[start : len(b) - end])
    return [
        *((place, place) for place in range(start)),
        *((start + i, start + j) for i, j in inner),
        *((len(a) - place, len(b) - place) for place in range(end, 0, -1)),
    ]


def _by_table(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    places: dict[Hashable, int] = {}
    for place, item in enumerate(a):
        places[item] = places.get(item, 0) | 1 << place
    everywhere = (1 << len(a)) - 1
    # Bit i of row j is 0 where a[: i + 1] has one more in common with b[:j] than a[:i].
    rows = [everywhere]
    for item in b:
        row = rows[-1]
        shared = row & places.get(item, 0)
        rows.append((row + shared | row - shared) & everywhere)
    found = []
    i, j = len(a), len(b)
    while i and j:
        if rows[j] >> (i - 1) & 1:
            i -= 1
        elif _length(rows[j], i) == _length(rows[j - 1], i):
            j -= 1
        else:
            i, j = i - 1, j - 1
            found.append((i, j))
    return found[::-1]


def _length(row: int, i: int) -> int:
    return i - (row & (1 << i) - 1).bit_count()
