"""The network itself: units that never speak, layers that do not move, operators that make no number."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seaway.diagnosis.activations import FirstNotANumber, Units, inside
from seaway.diagnosis.copies import copied, mean_loss
from seaway.diagnosis.faults import Fault
from seaway.diagnosis.sample import Sample, batched, endless
from seaway.diagnosis.subject import Subject

ROWS = 512
STEPS = 8
DEAD = 0.5  # of a layer's units


@dataclass(frozen=True)
class Layer:
    """A parameter in the first steps: norms of weight and gradient, and how much of the weight a step changes."""

    name: str
    weight: float
    gradient: float
    change: float


def check(subject: Subject, sample: Sample, moved: Sequence[Layer]) -> Iterator[Fault]:
    """Faults of the network, whose `layers` these are."""
    if told := _not_a_number(subject, sample):
        yield Fault("not a number inside", told)
        return
    if told := _dead(subject, sample):
        yield Fault("dead units", told)
    if told := _still(moved, subject.network):
        yield Fault("frozen layer", told)


def layers(subject: Subject) -> list[Layer]:
    """Each parameter after some steps as the training would make them."""
    network, loss = copied(subject.network).train(), mean_loss(subject)
    optimizer = subject.optimizer(network)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    norms = dict.fromkeys(before, 0.0)
    for inputs, labels in endless(subject, STEPS):
        network.zero_grad()
        loss(network(*inputs), labels).backward()
        for name, weight in network.named_parameters():
            norms[name] = max(norms[name], 0.0 if weight.grad is None else float(weight.grad.norm()))
        optimizer.step()
    after = dict(network.named_parameters())
    return [Layer(name, float(old.norm()), norms[name], _changed(old, after[name])) for name, old in before.items()]


def _changed(before: Tensor, after: Tensor) -> float:
    return float((after.detach() - before).norm() / before.norm().clamp(min=1e-12)) / STEPS


def _still(found: Sequence[Layer], network: nn.Module) -> str:
    """Parameters that no step changes, and why."""
    asked = {name: weight.requires_grad for name, weight in network.named_parameters()}
    still = [layer for layer in found if layer.change == 0 and math.isfinite(layer.weight)]
    why = {layer.name: _why(layer, asked[layer.name]) for layer in still}
    if not why:
        return ""
    return "; ".join(f"{name} {reason}" for name, reason in _grouped(why).items()) + "."


def _why(layer: Layer, asked: bool) -> str:
    if not asked:
        return "has requires_grad off"
    return "gets gradients of zero" if layer.gradient == 0 else "is not in the optimizer"


def _grouped(why: Mapping[str, str]) -> dict[str, str]:
    """By the module that a parameter is of, where all of it stands still for one reason."""
    found: dict[str, str] = {}
    for name, reason in why.items():
        module = name.rpartition(".")[0] or name
        alike = all(other == reason for one, other in why.items() if one.rpartition(".")[0] == module)
        found[module if alike else name] = reason
    return found


def _dead(subject: Subject, sample: Sample) -> str:
    """Rectifiers most of whose units answer zero to each row."""
    network = copied(subject.network).eval()
    where = inside(network)
    with where.followed(), torch.no_grad(), Units(where) as units:
        for inputs, _ in batched(sample.rows.some(ROWS), ROWS):
            network(*inputs)
    silent = {name: (1 - float(spoke.float().mean()), len(spoke)) for name, spoke in units.spoke.items()}
    told = [f"{share:.0%} of the {count} units of {name}" for name, (share, count) in silent.items() if share >= DEAD]
    return f"Before the first step {', '.join(told)} answer zero to each of {ROWS} rows." if told else ""


def _not_a_number(subject: Subject, sample: Sample) -> str:
    """The operator that makes NaN or infinity on the first batch, forwards or backwards; none where all ends well."""
    network, loss = copied(subject.network).train(), mean_loss(subject)
    inputs, labels = sample.batch
    value = loss(network(*inputs), labels)
    value.backward()
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    if bool(torch.isfinite(value)) and all(bool(torch.isfinite(one).all()) for one in gradients):
        return ""
    where = inside(network)
    with where.followed(), FirstNotANumber(where) as hunt:
        loss(network(*inputs), labels).backward()
    return f"The first batch has no finite loss or gradient: first made by {hunt.found or 'the loss'}."
