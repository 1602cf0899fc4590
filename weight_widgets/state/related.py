"""What an explorer offers by label of the other models: alignments to read and to set, and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping

from ..analysis.alignment import Alignment
from ..analysis.verdict import Verdict
from ..display import visible
from .comparisons import Comparisons
from .looks import Relation

__all__ = ["Alignments", "Verdicts"]


class Alignments(MutableMapping[str, Alignment]):
    """Which tensor of each other model stands opposite which of the reference, by label.

    ``explorer.alignment["b"] = explorer.alignment["b"].pair("dense_3", "head")`` moves the explorer; ``del
    explorer.alignment["b"]`` goes back to what names, order and shapes say.
    """

    def __init__(self, comparisons: Comparisons) -> None:
        self._comparisons = comparisons

    def __getitem__(self, label: str) -> Alignment:
        return self._comparisons.alignment(label)

    def __setitem__(self, label: str, alignment: Alignment) -> None:
        self._comparisons.put(label, alignment)

    def __delitem__(self, label: str) -> None:
        self._comparisons.forget(label)

    def __iter__(self) -> Iterator[str]:
        return iter(self._comparisons.others)

    def __len__(self) -> int:
        return len(self._comparisons.others)

    def __repr__(self) -> str:
        return f"<alignments of {', '.join(map(repr, self)) or 'nothing'} with {self._comparisons.reference!r}>"


class Verdicts(Mapping[str, Verdict]):
    """What the weights of each other model say of how it is related to the reference, by label, once it is known."""

    def __init__(self, comparisons: Comparisons) -> None:
        self._comparisons = comparisons

    def __getitem__(self, label: str) -> Verdict:
        relation: Relation = self._comparisons.relations[label]
        return relation.verdict

    def __iter__(self) -> Iterator[str]:
        return iter(self._comparisons.relations)

    def __len__(self) -> int:
        return len(self._comparisons.relations)

    def __repr__(self) -> str:
        lines = (f"{visible(label)}: {verdict.sentence}" for label, verdict in self.items())
        return "\n".join(lines) or "<no model is compared yet>"
