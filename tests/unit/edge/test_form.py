"""The edge form answers as the graph does, on hashes that differ in one half only, and refuses what it cannot."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from seaway.edge.form import edge_form
from seaway.edge.inputs import edge_arrays
from seaway.errors import ConversionRefused, InvalidSpec
from seaway.models.signature import Signature, TensorSpec
from torch import Tensor, nn

KNOWN = torch.tensor(sorted([-(2**62) + 5, -(2**32), -7, 0, 3, 2**31, 2**32, 2**32 + 3, 2**62 + 1]))
HASHES = np.array([*KNOWN.tolist(), 1, 2**32 + 1, -(2**62) + 6, 2**33, 2**62 + 1 - 2**32, -(2**63), 2**63 - 1])
SIGNATURE = Signature("words", (TensorSpec("word", "BYTES"),), (TensorSpec("y", "FP32"),), {"word": ["a", "b"]})


def searched(known: Tensor, x: Tensor) -> Tensor:
    return torch.searchsorted(known, x)


def searched_right(known: Tensor, x: Tensor) -> Tensor:
    return torch.searchsorted(known, x, right=True)


def bucketized(known: Tensor, x: Tensor) -> Tensor:
    return torch.bucketize(x, known)


def compared(known: Tensor, x: Tensor) -> Tensor:
    return (known <= x).sum(1, keepdim=True) + 10 * (known == x).sum(1, keepdim=True) + (x > 2**33).long()


def looked_up(known: Tensor, x: Tensor) -> Tensor:
    position = torch.searchsorted(known, x.contiguous()).clamp(max=len(known) - 1)
    return torch.where(known[position] == x, position + 1, torch.zeros_like(position))


def sorted_out(known: Tensor, x: Tensor) -> Tensor:
    both = torch.stack([x, torch.where(x >= 0, x, known[0])], 1).squeeze(2)
    return (both[:, :1] != both[:, 1:]).long() + (both.unbind(1)[0] < 0).unsqueeze(1)


class Words(nn.Module):
    def __init__(self, of: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.of = of
        self.register_buffer("known", KNOWN.clone())

    def forward(self, x: Tensor) -> Tensor:
        return self.of(self.known, x).float()


def exported(of: Callable[[Tensor, Tensor], Tensor]) -> torch.export.ExportedProgram:
    shapes = ({0: torch.export.Dim("rows")},)
    return torch.export.export(Words(of), (torch.zeros(2, 1, dtype=torch.int64),), dynamic_shapes=shapes)


@pytest.mark.parametrize("of", [searched, searched_right, bucketized, compared, looked_up, sorted_out])
def test_hashes_in_halves_are_answered_as_whole_ones(of: Callable[[Tensor, Tensor], Tensor]) -> None:
    program = exported(of)
    graph = edge_form(program, SIGNATURE)
    halves = [torch.from_numpy(array) for array in edge_arrays(graph.inputs, {"word": HASHES[:, None]})]
    run = graph.program.module()
    given = torch.cat([run(*(half[row : row + 1] for half in halves))[0] for row in range(len(HASHES))])
    assert torch.equal(given, program.module()(torch.from_numpy(HASHES[:, None])))


@pytest.mark.parametrize("of", [searched, looked_up])
def test_no_integer_of_64_bits_goes_in_or_stays_as_a_constant(of: Callable[[Tensor, Tensor], Tensor]) -> None:
    graph = edge_form(exported(of), SIGNATURE)
    assert {tensor.dtype for tensor in graph.example} == {torch.int32}
    assert all(value.dtype != torch.int64 for value in graph.program.state_dict.values())


@pytest.mark.parametrize(
    ("of", "operator"),
    [
        (lambda known, x: x % 1000, "remainder"),
        (lambda known, x: x.float(), "aten.to"),
        (lambda known, x: x + known[:1], "add"),
    ],
)
def test_arithmetic_with_a_hash_is_refused_by_the_name_of_the_operator(
    of: Callable[[Tensor, Tensor], Tensor], operator: str
) -> None:
    with pytest.raises(ConversionRefused, match=rf"{operator}.*looked up in a vocabulary"):
        edge_form(exported(of), SIGNATURE)


def test_a_list_of_any_length_is_refused_by_name() -> None:
    signature = Signature("l", (TensorSpec("x", "FP32", (-1, -1)),), (TensorSpec("y", "FP32"),), {"x": [[1.0], [2.0]]})
    with pytest.raises(ConversionRefused, match="'x' is a list"):
        edge_form(exported(searched), signature)


def test_a_number_beyond_32_bits_is_refused_and_not_cut() -> None:
    signature = Signature("n", (TensorSpec("x", "INT64"),), (TensorSpec("y", "FP32"),), {"x": [1, 2]})
    graph = edge_form(exported(lambda known, x: x), signature)
    assert graph.inputs[0].dtype == "int32"
    with pytest.raises(InvalidSpec, match="'x' holds a number beyond 32 bits"):
        edge_arrays(graph.inputs, {"x": np.array([[2**31]])})
