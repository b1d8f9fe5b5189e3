"""The edge form of a graph: one row at a time, and no 64-bit hash in it.

Strings reach a graph as 64-bit hashes, which edge formats refuse, or cut to 32 bits without a word. Here the graph is
run once more, operator by operator, while torch.export watches; a hash is then a pair of 32-bit halves. Operators that
move values move both, a comparison compares both, and a search in a vocabulary counts what is smaller. What else would
be computed with a hash has no meaning in halves, and is refused by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

from seaway.edge.halves import BIAS, Halves, equal, less, split
from seaway.edge.inputs import EdgeInput, edge_arrays, edge_inputs
from seaway.errors import ConversionRefused

if TYPE_CHECKING:
    from seaway.models.signature import Signature

GUARDS = "_guards_fn"  # checks of torch.export on the shapes that were traced
CHECK = "aten::_assert_tensor_metadata"  # that a tensor is of the dtype that was traced
NARROW = {torch.int64: torch.int32, torch.float64: torch.float32}
MOVING = frozenset(
    f"aten::{name}"
    for name in (
        *("cat", "stack", "unbind", "split", "split_with_sizes", "chunk", "select", "slice", "narrow", "index"),
        *(
            "view",
            "reshape",
            "_unsafe_view",
            "squeeze",
            "unsqueeze",
            "permute",
            "transpose",
            "t",
            "flatten",
            "unflatten",
        ),
        *("expand", "repeat", "clone", "contiguous", "alias", "detach", "detach_", "lift_fresh_copy", "index_select"),
        *("gather", "flip", "roll", "movedim", "where"),
    )
)
CASTS = frozenset(("aten::to", "aten::_to_copy", "aten::long"))
SHAPES = frozenset(
    f"aten::{name}" for name in ("sym_size", "sym_numel", "size", "new_zeros", "new_ones", "zeros_like", "ones_like",
                                 "new_full", "full_like", "new_empty", "empty_like")
)  # fmt: skip
SEARCHES = frozenset(("aten::searchsorted", "aten::bucketize"))
COMPARISONS: dict[str, Callable[[Halves, Halves], Tensor]] = {
    "aten::eq": equal,
    "aten::ne": lambda left, right: torch.logical_not(equal(left, right)),
    "aten::lt": less,
    "aten::gt": lambda left, right: less(right, left),
    "aten::le": lambda left, right: torch.logical_not(less(right, left)),
    "aten::ge": lambda left, right: torch.logical_not(less(left, right)),
}


@dataclass(frozen=True)
class EdgeGraph:
    """A model in its edge form: the graph takes `example`'s arrays, one row, in the order of `inputs`."""

    program: torch.export.ExportedProgram
    inputs: tuple[EdgeInput, ...]
    outputs: tuple[str, ...]
    example: tuple[Tensor, ...]
    model: str


def edge_form(program: torch.export.ExportedProgram, signature: "Signature") -> EdgeGraph:
    """The edge form of a packaged model's graph.

    Raises:
        ConversionRefused: an input is a list of any length, or an operator computes with a hash.
    """
    inputs = edge_inputs(signature)
    row = {name: array[:1] for name, array in signature.encode(signature.sample).items()}
    example = tuple(torch.from_numpy(array.copy()) for array in edge_arrays(inputs, row))
    form = EdgeForm(program.module(), inputs, signature.name)
    again = torch.export.export(form, example, strict=False)
    again.example_inputs = None
    return EdgeGraph(again, inputs, tuple(spec.name for spec in signature.outputs), example, signature.name)


class EdgeForm(nn.Module):
    """Runs a graph with pairs of halves where it has hashes."""

    def __init__(self, graph: fx.GraphModule, inputs: Sequence[EdgeInput], model: str) -> None:
        super().__init__()
        self.network, self.inputs, self.model = graph, tuple(inputs), model
        self.wide = [name for name, value in graph.named_buffers() if _is_wide(value)]
        for place, name in enumerate(self.wide):
            high, low = split(graph.get_buffer(name).numpy())
            self.register_buffer(f"high_{place}", torch.from_numpy(high))
            self.register_buffer(f"low_{place}", torch.from_numpy(low))
            owner, _, own = name.rpartition(".")
            delattr(graph.get_submodule(owner), own)

    def forward(self, *arrays: Tensor) -> tuple[Tensor, ...]:
        answers = _Run(self).run(*self._values(arrays), enable_io_processing=False)
        return tuple(pytree.tree_leaves(answers))

    def _values(self, arrays: Sequence[Tensor]) -> list[Any]:
        given: dict[str, list[Any]] = {}
        for spec, array in zip(self.inputs, arrays, strict=True):
            wanted = getattr(torch, spec.cast) if spec.cast else array.dtype
            given.setdefault(spec.of, []).append(array.to(wanted))
        return [Halves(*parts) if len(parts) > 1 else parts[0] for parts in given.values()]

    def constant(self, name: str) -> Any:
        place = self.wide.index(name)
        return Halves(self.get_buffer(f"high_{place}"), self.get_buffer(f"low_{place}"))


class _Run(fx.Interpreter):
    def __init__(self, form: EdgeForm) -> None:
        super().__init__(form.network, garbage_collect_values=False)
        self.form = form
        self.extra_traceback = False  # a refusal says all that there is to say

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        return self.form.constant(target) if target in self.form.wide else super().get_attr(target, args, kwargs)

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        return None if target == GUARDS else super().call_module(target, args, kwargs)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        name = target._schema.name if hasattr(target, "_schema") else getattr(target, "__name__", str(target))
        if name in SEARCHES:
            return _search(name, target, args, kwargs)
        if not any(isinstance(leaf, Halves) for leaf in pytree.tree_leaves((args, kwargs))):
            return super().call_function(target, args, kwargs)
        return self._with_halves(name, target, args, kwargs)

    def _with_halves(self, name: str, target: Any, args: Any, kwargs: Any) -> Any:
        if name in MOVING or name == "getitem":
            return _moved(target, args, kwargs)
        if name in COMPARISONS:
            return COMPARISONS[name](Halves.of(args[0]), Halves.of(args[1]))
        if name in SHAPES:
            return target(args[0].high, *args[1:], **kwargs)
        if name == CHECK or (name in CASTS and torch.int64 in (*args, *kwargs.values())):
            return args[0]
        raise ConversionRefused(
            f"Model {self.form.model!r}: the operator {name.replace('::', '.')} computes with the 64-bit hash of a "
            "text, which no edge format can. Inside the model a text is looked up in a vocabulary (torch.searchsorted, "
            "==), and everything else is done with its position there; export the model anew in this way."
        )

    def output(self, target: Any, args: Any, kwargs: Any) -> Any:
        leaves = pytree.tree_leaves(args)
        if any(isinstance(leaf, Halves) for leaf in leaves):
            raise ConversionRefused(
                f"Model {self.form.model!r} answers the 64-bit hash of a text, which no edge format can; leave that "
                "output out, and keep the text beside the answer."
            )
        return super().output(target, args, kwargs)


def _is_wide(value: Tensor) -> bool:
    return value.dtype == torch.int64 and bool(value.numel()) and bool((value.abs() >= BIAS).any())


def _moved(target: Any, args: Any, kwargs: Any) -> Any:
    """The operator for both halves; several results become several pairs."""
    halves = [pytree.tree_map(lambda leaf, part=part: _part(leaf, part), (args, kwargs)) for part in ("high", "low")]
    high, low = (target(*args, **kwargs) for args, kwargs in halves)
    if isinstance(high, Tensor):
        return Halves(high, low)
    return [Halves(*pair) for pair in zip(high, low, strict=True)]


def _part(leaf: Any, part: str) -> Any:
    return getattr(leaf, part) if isinstance(leaf, Halves) else leaf


def _search(name: str, target: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """How many of a sorted vocabulary come before each value: what edge formats have no operator for."""
    vocabulary, values = args[:2] if name == "aten::searchsorted" else (args[1], args[0])
    sizes = vocabulary.high.shape if isinstance(vocabulary, Halves) else vocabulary.shape
    if len(sizes) != 1 or kwargs.get("sorter") is not None:
        raise ConversionRefused(
            f"The operator {name.replace('::', '.')} searches in {len(sizes)} dimensions or by a sorter, which no edge "
            "format can; search in one sorted vocabulary at a time."
        )
    right = kwargs.get("right", False) or kwargs.get("side") == "right"
    if isinstance(vocabulary, Halves) or isinstance(values, Halves):
        known, wanted = Halves.of(vocabulary), Halves.of(values)
        wanted = Halves(wanted.high.unsqueeze(-1), wanted.low.unsqueeze(-1))
        before = torch.logical_not(less(wanted, known)) if right else less(known, wanted)
    else:
        wanted = values.unsqueeze(-1)
        before = vocabulary <= wanted if right else vocabulary < wanted
    return before.sum(-1)
