"""HDF5 of Keras 1 and before, told as Keras 2 and 3 would tell it.

Since Keras 1.1 files list layers and weights as those of Keras 2 do, but weights are called ``lstm_1_W_i`` and each
gate has its own. Before, there were numbers alone: groups ``layer_0``, ``layer_1``, … with datasets ``param_0``, ….
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...display import visible
from ..arrays import Array
from ..derived import computed, joined, transposed
from ..roles import looks_recurrent
from ..trees import Group
from .base import LayerWeights, Listing, names_in
from .composites import inner_of
from .legacy import FileWalk, by_place, root_of
from .legacy import matches as lists_layers
from .ownership import Weight, sort_out

__all__ = ["matches", "read"]

# TensorFlow added numbers to names that were there before.
NAME = re.compile(
    r"(?P<layer>.+?)_(?P<role>[WUb](_[icfozrh]|_carry)?|gamma|beta|running_(mean|std)|alphas|(depth|point)wise_kernel)"
    r"(_\d+)?(:\d+)?"
)
ROLES = {
    "W": "kernel",
    "U": "recurrent_kernel",
    "b": "bias",
    "running_mean": "moving_mean",
    # Called so by mistake: Keras 1 has always kept the variance there.
    "running_std": "moving_variance",
    "alphas": "alpha",
}
# The gates in the order of the file, and in that of today.
GATES = {"icfo": "ifco", "zrh": "zrh"}
DEFAULT_NAMES = (
    *("Dense", "Embedding", "SimpleRNN", "LSTM", "GRU", "BatchNormalization", "Bidirectional", "PReLU", "ConvLSTM2D"),
    *("Convolution1D", "AtrousConvolution1D", "Convolution2D", "AtrousConvolution2D", "Convolution3D"),
    *("Deconvolution2D", "SeparableConvolution2D", "LocallyConnected1D", "LocallyConnected2D", "TimeDistributedDense"),
)
CLASS_OF_NAME = {name.lower(): name for name in DEFAULT_NAMES}
# Theano's ordering: filters, inputs and then the kernel's own axes.
FROM_THEANO = {
    **dict.fromkeys(("Conv2D", "SeparableConv2D", "ConvLSTM2D"), (2, 3, 1, 0)),
    "Conv2DTranspose": (2, 3, 0, 1),
    "Conv3D": (2, 3, 4, 1, 0),
}


def matches(tree: Group) -> bool:
    if "nb_layers" in tree.attributes:
        return True
    root = root_of(tree)
    version = str(root.attributes.get("keras_version", tree.attributes.get("keras_version", "")))
    if not lists_layers(tree) or (version and not version.startswith(("0.", "1."))):
        return False
    groups = (root.groups.get(name) for name in names_in(root.attributes, "layer_names"))
    names = (name for group in groups if group for name in names_in(group.attributes, "weight_names"))
    return any(NAME.fullmatch(name) and "/" not in name for name in names)


def read(tree: Group, where: str) -> Listing:
    """The listing of a file of Keras 1; `where` names it in errors."""
    walk = FileWalk(tree, where)
    numbered = "nb_layers" in tree.attributes
    found = _numbered(tree, walk) if numbered else _named(walk)
    layers = [_todays(layer, walk.notes) for layer in found]
    kind = "full model" if walk.root is not tree else "weights"
    return walk.listing(layers, f"{kind} of Keras {'0.x' if numbered else '1'} (.h5)")


def _numbered(tree: Group, walk: FileWalk) -> Iterator[LayerWeights]:
    """The layers of the oldest files, whose weights tell by their shapes what they are."""
    for name in (f"layer_{number}" for number in range(len(tree.groups))):
        group = tree.groups.get(name, Group(""))
        names = (f"param_{number}" for number in range(len(group.datasets)))
        arrays = [group.datasets[each] for each in names if each in group.datasets]
        walk.taken.update(array.path for array in arrays)
        if arrays:
            yield LayerWeights(name, "", {}, dict(zip(_roles([array.shape for array in arrays]), arrays, strict=True)))


def _roles(shapes: Sequence[tuple[int, ...]]) -> Sequence[str]:
    """What the unnamed weights of a layer were called a version later; numbers where their shapes do not settle it."""
    ranks = [len(shape) for shape in shapes]
    for gates in GATES:
        if len(shapes) == 3 * len(gates) and len({*shapes[::3]}) == 1 and looks_recurrent(shapes[:3]):
            return [f"{kind}_{gate}" for gate in gates for kind in "WUb"]
    if len(shapes) == 3 and looks_recurrent(shapes):
        return ["W", "U", "b"]
    if ranks == [1] * 4 and len({*shapes}) == 1:
        return ["gamma", "beta", "running_mean", "running_std"]
    if len(shapes) == 2 and ranks[0] > 1 and ranks[1] == 1 and shapes[1][0] in (shapes[0][0], shapes[0][-1]):
        return ["W", "b"]
    return [f"weight {number}" for number in range(len(shapes))]


def _named(walk: FileWalk) -> Iterator[LayerWeights]:
    for layer, group in walk.layers():
        weights = [_weight(layer.name, path, array) for path, array in walk.listed(group)]
        if weights and all(re.fullmatch(r"param_\d+", weight.role) for weight in weights):
            roles = _roles([weight.array.shape for weight in weights])
            weights = [weight._replace(role=role) for weight, role in zip(weights, roles, strict=True)]
        yield from sort_out(layer, weights)


def _weight(layer: str, path: str, array: Array) -> Weight:
    *steps, last = path.split("/")
    if found := NAME.fullmatch(last):
        return Weight((*steps, found["layer"]), found["role"], array)
    return Weight((*steps, layer), last.partition(":")[0].removeprefix(f"{layer}_"), array)


def _todays(layer: LayerWeights, notes: list[str]) -> LayerWeights:
    """The layer with the names, gates and axes of today; what was more than a name is told."""
    class_name = layer.class_name or CLASS_OF_NAME.get(re.sub(r"_\d+$", "", layer.name.rpartition("/")[2]), "")
    changes: dict[str, None] = {}
    weights = {}
    for place, own in by_place(layer.weights).items():
        inner, config = inner_of(class_name, layer.config, place)
        converted, changed = _converted(own, inner, config)
        changes |= dict.fromkeys(changed)
        weights.update({f"{place}/{role}".lstrip("/"): array for role, array in converted.items()})
    if changes:
        notes.append(
            f"{visible(layer.name)}: Keras 1 stored {', and '.join(changes)}; shown as Keras 2 and 3 store it."
        )
    return replace(layer, class_name=class_name, weights=weights)


def _converted(
    weights: Mapping[str, Array], class_name: str, config: Mapping[str, object]
) -> tuple[dict[str, Array], list[str]]:
    """The weights of one place, and what was different about them."""
    changed = []
    straight = {role: _with_todays_axes(role, array, weights, class_name, config) for role, array in weights.items()}
    if any(straight[role] is not array for role, array in weights.items()):
        changed.append("the axes of its kernel in another order")
    joint = _with_joined_gates(straight)
    if len(joint) < len(straight):
        changed.append("each gate's weights by themselves")
    names = {**ROLES, "W": "embeddings"} if class_name == "Embedding" else ROLES
    if "running_std" in joint:
        changed.append("the moving variance as running_std")
    return {names.get(role, role): array for role, array in joint.items()}, changed


def _with_joined_gates(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The gates' weights side by side in today's order."""
    found = dict(weights)
    for kind in "WUb":
        for gates in GATES.values():
            parts = [weights[name] for name in (f"{kind}_{gate}" for gate in gates) if name in weights]
            if len(parts) == len(gates) and len({(part.shape, part.dtype, part.stored) for part in parts}) == 1:
                found[kind] = joined(parts, ", ".join(part.path for part in parts))
                for gate in gates:
                    del found[f"{kind}_{gate}"]
    return found


def _with_todays_axes(
    role: str, array: Array, weights: Mapping[str, Array], class_name: str, config: Mapping[str, object]
) -> Array:
    """A convolution's kernel with its own axes first and the filters last."""
    if role[:1] not in "WU" and not role.endswith("wise_kernel"):
        return array
    rank = len(array.shape)
    class_name = class_name or {4: "Conv2D", 5: "Conv3D"}.get(rank, "")
    if class_name == "Conv1D" and rank == 4:
        old = (array.shape[3] == 1 and array.shape[1] != 1) or _filters_first(array, weights)
        return _without_second_axis(transposed(array, (2, 3, 1, 0)) if old else array)
    axes = FROM_THEANO.get(class_name, ())
    if len(axes) != rank:
        return array
    ordering = config.get("dim_ordering")
    if ordering == "th" or (ordering is None and _filters_first(array, weights)):
        return transposed(array, axes)
    return transposed(array, (0, 1, 3, 2)) if class_name == "Conv2DTranspose" else array


def _filters_first(kernel: Array, weights: Mapping[str, Array]) -> bool:
    """Whether a kernel has its filters in front, as its bias tells; a kernel of as many at both ends has them last."""
    bias = next((array for role, array in weights.items() if role[:1] == "b" and len(array.shape) == 1), None)
    return bias is not None and bias.shape[0] == kernel.shape[0] != kernel.shape[-1]


def _without_second_axis(kernel: Array) -> Array:
    if kernel.shape[1] != 1:
        return kernel
    shape = (kernel.shape[0], *kernel.shape[2:])
    return computed(kernel, shape, lambda values: values[:, 0], "without its second axis")
