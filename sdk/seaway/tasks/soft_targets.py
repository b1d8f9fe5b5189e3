"""Losses against a teacher's outputs, by Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network".

Both sides are divided by a temperature, which lets the student see what the teacher thinks of the wrong answers; the
square of it keeps gradients as large as those of the labels.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 1e-6  # probability that is told from none


def soft_classes(outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
    """Kullback-Leibler divergence of softmaxes of [rows, classes], summed."""
    from torch.nn import functional

    said = functional.log_softmax(outputs / temperature, 1)
    taught = functional.log_softmax(teacher / temperature, 1)
    return temperature**2 * functional.kl_div(said, taught, reduction="sum", log_target=True)


def soft_binary(outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
    """The same of yes or no, [rows, any]: cross entropy less the teacher's own, summed."""
    from torch.nn import functional

    taught = (teacher / temperature).sigmoid()
    entropy = functional.binary_cross_entropy(taught, taught, reduction="sum")
    crossed = functional.binary_cross_entropy_with_logits(outputs / temperature, taught, reduction="sum")
    return temperature**2 * (crossed - entropy)
