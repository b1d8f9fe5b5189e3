"""Networks to experiment on, and a loss that is the mean over rows whatever the subject's is."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from seaway.diagnosis.subject import Subject

SUM = 1.5  # the loss of the same rows twice, in losses of them once, from which on it is a sum


def copied(network: nn.Module) -> nn.Module:
    """The network in its first state, on the CPU."""
    return copy.deepcopy(network).cpu()


def mean_loss(subject: Subject) -> Callable[[Tensor, Tensor], Tensor]:
    """The subject's loss, divided by the rows where it is a sum of them, as its first call tells."""
    summed: list[bool] = []

    def mean(outputs: Tensor, labels: Tensor) -> Tensor:
        loss = subject.loss(outputs, labels)
        if not summed:
            with torch.no_grad():
                twice = subject.loss(torch.cat([outputs, outputs]), torch.cat([labels, labels]))
            summed.append(bool(twice.abs() > SUM * loss.detach().abs()))
        return loss / len(labels) if summed[0] else loss

    return mean
