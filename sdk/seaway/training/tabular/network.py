"""The network, and the whole model from raw columns to an answer."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seaway.tasks import Task
from seaway.training.loop.pipeline_parallel import Link
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.preprocessing import Preprocessing

EMBEDDING_SCALE = (
    0.1  # deviation at the start; with torch's 1.0 a rare category stays noise, and a linear model overfits
)


class TabularNetwork(nn.Module):
    """Embeddings and numbers, concatenated, through a multilayer perceptron with ReLU to `width` outputs.

    `beside` further numbers a row, such as those that stand for a text, are taken as they are.
    """

    def __init__(self, vocabulary_sizes: Sequence[int], params: TabularParams, width: int, beside: int = 0) -> None:
        super().__init__()
        tables = [nn.Embedding(size + 1, params.embedding, padding_idx=0) for size in vocabulary_sizes]
        self.embeddings = nn.ModuleList(tables)
        for table in tables:
            nn.init.normal_(table.weight[1:], std=EMBEDDING_SCALE)
        widths = [len(tables) * params.embedding + 2 * len(params.numeric) + beside, *params.hidden]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], width))

    def forward(self, categories: Tensor, numbers: Tensor, *beside: Tensor) -> Tensor:
        """Positions int64 [rows, categorical], numbers float32 [rows, 2 numeric] to outputs float32 [rows, width]."""
        outputs: Tensor = self.layers(self.concatenated(categories, numbers, *beside))
        return outputs

    def concatenated(self, categories: Tensor, numbers: Tensor, *beside: Tensor) -> Tensor:
        """What the first layer takes, float32 [rows, numbers]."""
        vectors = [table(categories[:, index]) for index, table in enumerate(self.embeddings)]
        return torch.cat([*vectors, numbers, *beside], 1)

    def chain(self) -> list[Link]:
        """For a pipeline: see `loop.pipeline_parallel`."""
        return [Link(list(self.embeddings), self.concatenated), *(Link([layer], layer) for layer in self.layers)]


class TabularModel(nn.Module):
    """What is exported: one [rows, 1] tensor an input of the signature to answers [rows, width]."""

    def __init__(self, preprocessing: Preprocessing, network: nn.Module, task: Task) -> None:
        super().__init__()
        self.task = task
        self.preprocessing = preprocessing
        self.network = network

    def forward(self, *columns: Tensor) -> Tensor:
        return self.task.answer(self.network(*self.preprocessing.of_columns(columns, columns[0])))
