"""Whether the loss asks for what the network gives: what minimises it, over all that the network could answer."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from seaway.diagnosis.copies import copied, mean_loss
from seaway.diagnosis.faults import Fault
from seaway.diagnosis.sample import Kind, Sample, batched
from seaway.diagnosis.subject import Subject

ROWS, STEPS, RATE = 64, 300, 0.3
LOUDER = 10.0  # times the weights, by which logits leave [0, 1]
FLOOR = 0.4  # of a guess's loss that is left where each answer is right
AGREE = 0.9  # of the answers that are right where the loss is least
NEAR = 1e-3
Form = Callable[[Tensor], Tensor]


def check(subject: Subject, sample: Sample) -> Iterator[Fault]:
    """Faults of the loss."""
    inputs, labels = next(iter(batched(sample.rows.some(ROWS), ROWS)))
    network = copied(subject.network).eval()
    with torch.no_grad():
        outputs = network(*inputs)
    if not bool(torch.isfinite(outputs).all()):
        return
    told = _too_few(outputs, labels, sample) or _asked(subject, sample, network, inputs, labels)
    if told:
        yield Fault("wrong loss", told)


def _too_few(outputs: Tensor, labels: Tensor, sample: Sample) -> str:
    values = outputs.reshape(len(outputs), -1).shape[1]
    if sample.kind is not Kind.CLASSES or labels.dim() > 1 or values >= sample.classes or sample.classes == 2:  # noqa: PLR2004
        return ""
    return f"The network answers {values} number(s) a row; the labels are {sample.classes} classes."


def _asked(subject: Subject, sample: Sample, network: nn.Module, inputs: tuple[Tensor, ...], labels: Tensor) -> str:
    loss, (called, form) = mean_loss(subject), _form(network, inputs)
    with torch.no_grad():
        outputs = network(*inputs)
    guess = _least(loss, form, outputs, labels, alike=True)
    best = _least(loss, form, outputs, labels, alike=False)
    if guess is None or best is None:
        return ""
    (guessed, _), (least, answers) = guess, best
    right = _agreement(answers, labels, sample.kind)
    if right is not None and right < AGREE:
        return (
            f"What makes this loss least is right in {right:.0%} of {len(labels)} rows: shapes {list(outputs.shape)} "
            f"and {list(labels.shape)}, outputs that are {called}."
        )
    if sample.kind is Kind.NUMBERS:
        return ""
    if least < -1:
        return f"This loss falls below zero without end ({least:.3g}) on outputs that are {called}."
    if guessed > 0 and least > FLOOR * guessed:
        return (
            f"With outputs that are {called}, this loss cannot fall below {least:.3f} though each row is right; a "
            f"guess has {guessed:.3f}. It asks for another form of output."
        )
    return ""


def _form(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[str, Form]:
    """What the network's outputs are, told from those with larger weights, and how such are made of any numbers."""
    louder = copied(network).eval()
    with torch.no_grad():
        for weight in louder.parameters():
            weight.mul_(LOUDER)
        outputs = louder(*inputs).float()
    flat = outputs.reshape(len(outputs), -1)
    inside = bool(((flat >= 0) & (flat <= 1)).all())
    several = flat.shape[1] > 1
    if inside and several and bool(((flat.sum(dim=1) - 1).abs() < NEAR).all()):
        return "probabilities that sum to 1", lambda free: torch.softmax(free, dim=-1)
    if inside:
        return "between 0 and 1", torch.sigmoid
    if several and bool((flat.logsumexp(dim=1).abs() < NEAR).all()):
        return "logarithms of probabilities", lambda free: torch.log_softmax(free, dim=-1)
    return "any numbers", lambda free: free


def _least(
    loss: Callable[[Tensor, Tensor], Tensor], form: Form, outputs: Tensor, labels: Tensor, *, alike: bool
) -> tuple[float, Tensor] | None:
    """The least loss over answers of that form, for each row its own or for all one; None where it is no number."""
    shape = (1, *outputs.shape[1:]) if alike else outputs.shape
    free = torch.zeros(shape, dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.Adam([free], lr=RATE * _scale(labels))
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(form(free).expand(outputs.shape), labels)
        if not value.requires_grad or not math.isfinite(value.item()):
            return None
        value.backward()
        optimizer.step()
    with torch.no_grad():
        answers = form(free.detach()).expand(outputs.shape)
        return float(loss(answers, labels)), answers


def _scale(labels: Tensor) -> float:
    """Of numbers their size, so that steps are neither too small nor too large."""
    return float(labels.abs().mean().clamp(min=1)) / 10 if labels.is_floating_point() and labels.max() > 1 else 1.0


def _agreement(answers: Tensor, labels: Tensor, kind: Kind) -> float | None:
    """The share of rows whose answer is the label's; of numbers how far both rise together. None where nobody knows."""
    flat = answers.reshape(len(answers), -1)
    if kind is Kind.NUMBERS:
        return _rising(flat, labels.reshape(len(labels), -1))
    if kind is Kind.CLASSES and labels.dim() == 1 and flat.shape[1] > 1:
        return float((flat.argmax(dim=1) == labels).float().mean())
    if flat.shape == labels.reshape(len(labels), -1).shape:
        truth = labels.reshape(flat.shape).float()
        middle = (flat.max(dim=0).values + flat.min(dim=0).values) / 2
        return float(((flat > middle) == truth.bool()).float().mean())
    return None


def _rising(flat: Tensor, labels: Tensor) -> float | None:
    from scipy.stats import spearmanr

    if flat.shape != labels.shape:
        return None
    if float(flat[:, 0].std()) < NEAR * max(float(labels[:, 0].std()), 1e-12):
        return 0.0  # one answer for all rows
    return float(spearmanr(flat[:, 0].numpy(), labels[:, 0].numpy()).statistic)
