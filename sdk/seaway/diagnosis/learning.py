"""Learning itself: one batch by heart, and which rates go well (range test: Smith 2017)."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from seaway.diagnosis.copies import copied, mean_loss
from seaway.diagnosis.faults import Fault
from seaway.diagnosis.sample import Kind, Sample, batched, endless
from seaway.diagnosis.subject import Subject

BATCH, HEART_STEPS, RATES = 16, 400, (1e-3, 1e-2)
LEARNT = 0.5  # of a guess's loss, which one batch has to fall below
STEPS, SCORED = 60, 512  # of the training as it would be; rows that tell how it went
WORSE, NO_BETTER = 1.3, 0.95  # times the first loss
SWEEP, LOWEST, HIGHEST = 60, 1e-6, 10.0
SMOOTH = 0.8
BURST = 4.0  # times the least loss, at which a sweep ends
SAFE = 10.0  # below the rate of the least loss
QUICK, BATCHES = 0.25, 8  # of the batches that are got as quickly; fewer tell nothing
SLOW, LEAST_S = 0.8, 0.005  # share of the time that loading may take; seconds a batch below which nobody cares
FAR_BELOW, HARDLY = 1e-3, 0.99  # of the suggested rate; of the first loss, that is left


@dataclass
class Figures:
    """What was measured.

    Attributes:
        first: The loss of the first rows before any step.
        guess: The least loss of one answer for all rows; NaN where it has none.
        heart: Loss over the steps on one batch.
        rates: Rate and smoothed loss of the range test.
        suggested: Rate; NaN where no rate helps.
        used: The training's own.
        loading: Share of an epoch's time that goes to getting batches.
    """

    first: float = math.nan
    guess: float = math.nan
    heart: list[float] = field(default_factory=list)
    rates: list[tuple[float, float]] = field(default_factory=list)
    suggested: float = math.nan
    used: float = math.nan
    loading: float = 0.0


def check(subject: Subject, sample: Sample, figures: Figures) -> Iterator[Fault]:
    """Faults of learning; fills in the figures."""
    figures.used = float(subject.optimizer(copied(subject.network)).param_groups[0]["lr"])
    _by_heart(subject, sample, figures)
    _range_test(subject, figures)
    if told := _goes(subject, sample, figures):
        yield told
    if sample.kind is not Kind.NUMBERS and figures.heart and not min(figures.heart) < LEARNT * figures.heart[0]:
        yield Fault(
            "one batch cannot be learnt",
            f"{HEART_STEPS} steps on {BATCH} rows leave a loss of {min(figures.heart):.3g} of {figures.first:.3g}.",
        )
    if told := _loading(sample, figures):
        yield told


def _by_heart(subject: Subject, sample: Sample, figures: Figures) -> None:
    """The best of some rates, of Adam, on one batch without what draws by chance."""
    inputs, labels = next(iter(batched(sample.rows.some(BATCH, seed=1), BATCH)))
    loss = mean_loss(subject)
    for rate in RATES:
        network = copied(subject.network).eval()
        optimizer = torch.optim.Adam([weight for weight in network.parameters() if weight.requires_grad], lr=rate)
        curve = [_step(network, optimizer, loss(network(*inputs), labels)) for _ in range(HEART_STEPS)]
        finite = [value for value in curve if math.isfinite(value)]
        if finite and (not figures.heart or min(finite) < min(figures.heart)):
            figures.heart = finite
    figures.first = figures.heart[0] if figures.heart else math.nan


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    network.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def _range_test(subject: Subject, figures: Figures) -> None:
    """The training's own steps at rates that rise from batch to batch."""
    network, loss = copied(subject.network).train(), mean_loss(subject)
    optimizer = subject.optimizer(network)
    own = [group["lr"] for group in optimizer.param_groups]
    smooth, weight = 0.0, 0.0
    for number, (inputs, labels) in enumerate(endless(subject, SWEEP)):
        rate = LOWEST * (HIGHEST / LOWEST) ** (number / (SWEEP - 1))
        for group, first in zip(optimizer.param_groups, own, strict=True):
            group["lr"] = rate * (first / own[0] if own[0] else 1.0)
        value = _step(network, optimizer, loss(network(*inputs), labels))
        smooth, weight = SMOOTH * smooth + (1 - SMOOTH) * value, SMOOTH * weight + 1 - SMOOTH
        if not math.isfinite(value) or (figures.rates and smooth / weight > BURST * max(figures.rates[0][1], 1e-12)):
            break
        figures.rates.append((rate, smooth / weight))
    if _learns(figures):
        figures.suggested = min(figures.rates, key=lambda pair: pair[1])[0] / SAFE


def _goes(subject: Subject, sample: Sample, figures: Figures) -> Fault | None:
    """The training as it would begin, held against its own first loss on rows that stay the same."""
    network, loss = copied(subject.network), mean_loss(subject)
    optimizer = subject.optimizer(network)
    before, began, values = _scored(network, loss, sample), time.perf_counter(), list[float]()
    for inputs, labels in endless(subject, STEPS):
        values.append(_step(network.train(), optimizer, loss(network(*inputs), labels)))
        if not math.isfinite(values[-1]):
            break
    after = _scored(network, loss, sample) if math.isfinite(values[-1]) else math.inf
    load_s, step_s = _load_s(sample), (time.perf_counter() - began) / len(values)  # in which its batch is got too
    figures.loading = load_s / max(step_s, load_s, 1e-9)
    did = f"{len(values)} steps at rate {figures.used:.2g}"
    suggested = f"the range test suggests {figures.suggested:.2g}" if _learns(figures) else "no rate helps"
    beyond = figures.used > SAFE * figures.suggested and after > NO_BETTER * before
    if beyond or not math.isfinite(after) or after > WORSE * abs(before) + 1e-9:
        told = f"{did} bring the loss from {before:.3g} to {after:.3g}; {suggested}."
        return Fault("learning rate too high", told)
    if figures.used < FAR_BELOW * figures.suggested and after > HARDLY * before:
        told = f"{did} leave the loss at {after:.3g} of {before:.3g}; {suggested}."
        return Fault("learning rate too low", told)
    return None


def _learns(figures: Figures) -> bool:
    """Whether some rate has helped."""
    return bool(figures.rates) and min(loss for _, loss in figures.rates) < NO_BETTER * figures.rates[0][1]


@torch.no_grad()
def _scored(network: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], sample: Sample) -> float:
    inputs, labels = next(iter(batched(sample.rows.some(SCORED), SCORED)))
    return float(loss(network.eval()(*inputs), labels))


def _load_s(sample: Sample) -> float:
    """Seconds that a batch takes to get: most take as long, so that a pause of the machine is none of the loader's."""
    return float(np.quantile(sample.epochs[0].waited_s, QUICK))


def _loading(sample: Sample, figures: Figures) -> Fault | None:
    load_s = _load_s(sample)
    if figures.loading < SLOW or load_s < LEAST_S or len(sample.epochs[0].waited_s) < BATCHES:
        return None
    return Fault(
        "slow loader",
        f"A batch takes {load_s * 1000:.0f} ms to get, {figures.loading:.0%} of a step's time: the network waits.",
    )
