"""What the network is given: numbers that are none, and numbers of very different size."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from seaway.diagnosis.copies import copied
from seaway.diagnosis.faults import Fault
from seaway.diagnosis.sample import Sample, batched
from seaway.diagnosis.subject import Subject

ROWS = 512
LARGE = 100.0  # from which on a value or a deviation is no standardised one
APART = 1000.0  # times the smallest deviation of a feature that the largest is
TYPED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.RNNBase)  # what weighs its inputs


def check(sample: Sample) -> Iterator[Fault]:
    """What is missing or infinite."""
    if told := "; ".join(_lacking(sample)):
        yield Fault("no numbers", told + ".")


def scale(subject: Subject, sample: Sample) -> Iterator[Fault]:
    """What the network is given in units that are far apart."""
    if told := _unscaled(subject, sample):
        yield Fault("unscaled input", told)


def _lacking(sample: Sample) -> Iterator[str]:
    splits = {"training": sample.rows, "validation": sample.validation}
    for name, rows in splits.items():
        parts = {"labels": rows.labels, **{f"input {place}": one for place, one in enumerate(rows.inputs, 1)}}
        for part, tensor in parts.items():
            wrong = ~torch.isfinite(tensor.float()).reshape(len(tensor), -1).all(dim=1)
            if count := int(wrong.sum()):
                yield f"{count:,} of {len(tensor):,} {name} rows have {part} missing or infinite"


def _unscaled(subject: Subject, sample: Sample) -> str:
    """What the first layer that weighs numbers is given, which a network may have scaled itself before."""
    seen = _first_given(subject, sample)
    if seen is None:
        return ""
    flat = seen.float().reshape(-1, seen.shape[-1]) if seen.dim() < 4 else seen.float().movedim(1, -1).flatten(0, -2)  # noqa: PLR2004
    spread, largest = flat.std(dim=0), flat.abs().amax(dim=0)
    moving = spread[spread > 0]
    if not len(moving):
        return ""
    place = int(largest.argmax())
    name = subject.called(place, len(largest))
    apart = float(moving.max() / moving.min())
    if float(largest[place]) < LARGE or (apart < APART and float(moving.max()) < LARGE):
        return ""
    return (
        f"The first layer is given numbers as large as {float(largest[place]):,.4g} ({name}); "
        f"the deviations of its features differ by a factor of {apart:,.0f}."
    )


def _first_given(subject: Subject, sample: Sample) -> Tensor | None:
    network, seen = copied(subject.network), list[Tensor]()

    def keep(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen.append(given[0].detach())

    layers = [module for module in network.modules() if isinstance(module, TYPED)]
    hooks = [layer.register_forward_pre_hook(keep) for layer in layers]
    with torch.no_grad():
        network.eval()
        inputs, _ = next(iter(batched(sample.rows.some(ROWS), ROWS)))
        network(*inputs)
    for hook in hooks:
        hook.remove()
    return seen[0] if seen else None
