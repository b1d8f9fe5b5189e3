"""A student learns from the labels and from what another model answers to the same rows.

Soft targets and temperature as Hinton, Vinyals and Dean 2015 have them; a loss on hidden states as Sanh et al. 2019,
"DistilBERT", have it, by the cosine, here of the embeddings that both models export.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.tasks import Task
from seaway.training.loop.params import LoopParams
from seaway.training.loop.rows import read_columns, values
from seaway.training.loop.teacher_params import TeacherParams


@dataclass(frozen=True)
class Lesson:
    """A teacher's outputs float32 [rows, width], its embeddings [rows, size] or none, in the training rows' order."""

    outputs: Tensor
    states: Tensor | None
    params: TeacherParams

    def to(self, device: torch.device) -> "Lesson":
        states = None if self.states is None else self.states.to(device)
        return replace(self, outputs=self.outputs.to(device), states=states)

    def loss(self, task: Task, outputs: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """Of a `Student`'s outputs, [rows, width and size]; see `Teacher`."""
        said, shown = outputs[:, : task.width], outputs[:, task.width :]
        soft = self.params.soft
        loss = soft * task.soft_loss(said, self.outputs[rows], self.params.temperature)
        loss = loss + (1 - soft) * task.loss(said, labels)
        if self.states is not None:
            likeness = nn.functional.cosine_similarity(shown, self.states[rows])
            loss = loss + self.params.hidden * (1 - likeness).sum()
        return loss


class Student(nn.Module):
    """A network that shows its embedding in training, projected to the teacher's size, behind its outputs."""

    def __init__(self, network: Any, size: int) -> None:
        super().__init__()
        self.network = network
        self.projection = nn.Linear(network.size, size)

    def forward(self, *inputs: Tensor) -> Tensor:
        if not self.training:
            outputs: Tensor = self.network(*inputs)
            return outputs
        outputs, embedded = self.network.both(*inputs)
        return torch.cat([outputs, self.projection(embedded)], 1)


def read_lesson(path: Path, params: LoopParams, task: Task) -> Lesson | None:
    """What the teacher of `params` answered to the rows of a file; None where nobody teaches.

    Raises:
        InvalidSpec: the task is not taught.
        DataUnreadable: a column is missing, or its lists are of another length.
    """
    told = params.teacher
    if told is None:
        return None
    columns = [told.answers, *([told.states] if told.hidden else [])]
    table = read_columns(path, columns)
    answers, *states = (_matrix(values(table, name), f"{path}: column {name!r}") for name in columns)
    if answers.shape[1] != task.width:
        raise DataUnreadable(
            f"{path}: column {told.answers!r} has {answers.shape[1]} values a row; this task has {task.width}: take a "
            "teacher of the same task and classes."
        )
    return Lesson(task.outputs(answers), states[0] if states else None, told)


def student(network: nn.Module, lesson: Lesson | None) -> nn.Module:
    """The network as it is trained. Raises: InvalidSpec: its embedding is to be taught, and it has none."""
    if lesson is None or lesson.states is None:
        return network
    if not hasattr(network, "both"):
        raise InvalidSpec("params: teacher: this network has no embedding, so `hidden` has to be 0.")
    return Student(network, lesson.states.shape[1])


def learnt(weights: dict[str, Tensor], lesson: Lesson | None) -> dict[str, Tensor]:
    """The weights of the network itself, of those of what `student` gave."""
    if lesson is None or lesson.states is None:
        return weights
    own = "network."
    return {name.removeprefix(own): tensor for name, tensor in weights.items() if name.startswith(own)}


def _matrix(rows: list[Any], where: str) -> Tensor:
    try:
        found = np.array(rows, np.float32)
    except (TypeError, ValueError) as error:
        raise DataUnreadable(f"{where} is no list of numbers of one length in each row: {error}.") from error
    if found.ndim == 1:
        found = found[:, None]
    return torch.from_numpy(found)
