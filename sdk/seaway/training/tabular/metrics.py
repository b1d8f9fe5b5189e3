"""Validation figures from logits and labels."""

import torch
from torch import Tensor
from torch.nn import functional


def log_loss(logits: Tensor, labels: Tensor) -> float:
    """Mean binary cross-entropy in nats."""
    return float(functional.binary_cross_entropy_with_logits(logits.double(), labels.double()))


def auc(scores: Tensor, labels: Tensor) -> float:
    """Area under the ROC curve as the Mann-Whitney statistic, ties counted half; 0.5 where there is one class only."""
    positives = labels.bool()
    count, others = int(positives.sum()), int((~positives).sum())
    if count == 0 or others == 0:
        return 0.5
    _, inverse, sizes = torch.unique(scores, return_inverse=True, return_counts=True)
    ranks = sizes.cumsum(0).double() - (sizes.double() - 1) / 2
    rank_sum = float(ranks[inverse][positives].sum())
    return (rank_sum - count * (count + 1) / 2) / (count * others)
