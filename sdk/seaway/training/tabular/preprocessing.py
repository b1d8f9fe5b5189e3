"""Raw columns to what a network takes: modules with fixed buffers, so that they are exported inside the graph."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seaway.training.tabular.data import Examples, Prepared


class Vocabularies(nn.Module):
    """Hashes to the positions of known values, from 1; 0 is an unknown value."""

    def __init__(self, categories: Tensor) -> None:
        super().__init__()
        self.sizes = []
        for index, column in enumerate(categories.unbind(1)):
            known = torch.unique(column)
            self.sizes.append(len(known))
            self.register_buffer(f"known_{index}", known)

    def forward(self, categories: Tensor) -> Tensor:
        """int64 [rows, columns] to int64 [rows, columns]."""
        if not self.sizes:
            return categories
        columns = [self._look_up(index, column) for index, column in enumerate(categories.unbind(1))]
        return torch.stack(columns, 1)

    def _look_up(self, index: int, hashes: Tensor) -> Tensor:
        known = self.get_buffer(f"known_{index}")
        position = torch.searchsorted(known, hashes.contiguous()).clamp(max=len(known) - 1)
        return torch.where(known[position] == hashes, position + 1, torch.zeros_like(position))


class Standardiser(nn.Module):
    """Numbers to zero mean and unit deviation; a missing one becomes the mean, and an indicator says so."""

    mean: Tensor
    scale: Tensor

    def __init__(self, numbers: Tensor) -> None:
        super().__init__()
        exact = numbers.double()
        mean = torch.nan_to_num(exact.nanmean(0))
        deviation = torch.nan_to_num((exact - mean).square().nanmean(0).sqrt())
        self.register_buffer("mean", mean.float())
        self.register_buffer("scale", torch.where(deviation > 0, deviation, torch.ones_like(deviation)).float())

    def forward(self, numbers: Tensor) -> Tensor:
        """float32 [rows, columns] to float32 [rows, 2 columns]: values, then indicators."""
        missing = torch.isnan(numbers)
        values = torch.where(missing, torch.zeros_like(numbers), (numbers - self.mean) / self.scale)
        return torch.cat([values, missing.to(numbers.dtype)], 1)


class Preprocessing(nn.Module):
    """Both, fitted on the training examples."""

    def __init__(self, examples: Examples) -> None:
        super().__init__()
        self.vocabularies = Vocabularies(examples.categories)
        self.standardiser = Standardiser(examples.numbers)

    def forward(self, categories: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        return self.vocabularies(categories), self.standardiser(numbers)

    def prepared(self, examples: Examples, noise: float = 0.0) -> Prepared:
        """All rows at once: preprocessing is fixed, so it is done once and not once an epoch; noise is drawn anew."""
        categories, numbers = self(examples.categories, examples.numbers)
        return Prepared(categories, numbers, examples.labels, noise)

    def of_columns(self, columns: Sequence[Tensor], example: Tensor) -> tuple[Tensor, Tensor]:
        """The same of one [rows, 1] tensor a column, categories first; `example` has the rows where there is none."""
        count, none = len(self.vocabularies.sizes), example.new_zeros((example.shape[0], 0))
        categories, numbers = (torch.cat(part, 1) if part else none for part in (columns[:count], columns[count:]))
        prepared: tuple[Tensor, Tensor] = self(categories.long(), numbers.float())
        return prepared
