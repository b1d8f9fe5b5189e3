"""Small trainings that are healthy, or have exactly one fault."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from seaway.diagnosis import Subject
from sklearn.datasets import load_digits, load_iris
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

ROWS, HELD_OUT, BATCH = 1000, 400, 64


@dataclass
class Setup:
    """What a training is made of."""

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    network: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor] = nn.functional.cross_entropy
    rate: float = 3e-3
    shuffle: bool = True
    rows: type[TensorDataset] = TensorDataset
    frozen: bool = False  # the first layer is not given to the optimizer

    def subject(self) -> Subject:
        torch.manual_seed(0)
        return Subject.of_loaders(
            self.network, self.loss, self._optimizer,
            DataLoader(self.rows(*self.train), BATCH, shuffle=self.shuffle),
            DataLoader(TensorDataset(*self.validation), BATCH),
        )  # fmt: skip

    def _optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        weights = list(network.parameters())[2 if self.frozen else 0 :]
        return torch.optim.Adam(weights, lr=self.rate)


def digits(**network: bool) -> Setup:
    """Pictures of digits as standardised numbers."""
    pictures, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    features = torch.tensor((pictures[order] - 4.9) / 6.0, dtype=torch.float32)
    truth = torch.tensor(labels[order], dtype=torch.int64)
    parts = slice(0, ROWS), slice(ROWS, ROWS + HELD_OUT)
    (train, validation) = ((features[part], truth[part]) for part in parts)
    return Setup(train, validation, perceptron(64, 10, **network))


def perceptron(inputs: int, outputs: int, last: nn.Module | None = None) -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Linear(inputs, 48), nn.ReLU(), nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, outputs)]
    return nn.Sequential(*layers, *([last] if last else []))


def table(signal: float = 1.0, positives: float = 0.5, rows: int = 1400) -> Setup:
    """Yes or no over ten columns, of which three tell something; with little signal a hard problem."""
    draw = np.random.default_rng(1)
    features = draw.normal(size=(rows, 10))
    score = signal * (features[:, 0] + features[:, 1] * features[:, 2]) + draw.logistic(size=rows)
    truth = (score > np.quantile(score, 1 - positives)).astype(np.float32)[:, None]
    pair = torch.tensor(features, dtype=torch.float32), torch.tensor(truth)
    cut = int(rows * 0.7)
    train, validation = tuple(one[:cut] for one in pair), tuple(one[cut:] for one in pair)
    loss = nn.functional.binary_cross_entropy_with_logits
    return Setup(train, validation, perceptron(10, 1), loss)  # type: ignore[arg-type]


def numbers() -> Setup:
    """A regression."""
    draw = np.random.default_rng(2)
    features = draw.normal(size=(1400, 8)).astype(np.float32)
    truth = (features[:, :1] * 2 + np.sin(3 * features[:, 1:2]) + draw.normal(0, 0.3, (1400, 1))).astype(np.float32)
    pair = torch.tensor(features), torch.tensor(truth)
    train, validation = tuple(one[:1000] for one in pair), tuple(one[1000:] for one in pair)
    return Setup(train, validation, perceptron(8, 1), nn.functional.mse_loss)  # type: ignore[arg-type]


def tags() -> Setup:
    """Three labels a row, of which no training row has the first."""
    draw = np.random.default_rng(4)
    features = draw.normal(size=(1400, 6)).astype(np.float32)
    truth = np.stack([features[:, 5] > 9, features[:, 0] > features[:, 3], features[:, 1] > features[:, 2]], 1).astype(
        np.float32
    )
    truth[1100:1200, 0] = 1
    pair = torch.tensor(features), torch.tensor(truth)
    train, validation = tuple(one[:1000] for one in pair), tuple(one[1000:] for one in pair)
    loss = nn.functional.binary_cross_entropy_with_logits
    return Setup(train, validation, perceptron(6, 3), loss)  # type: ignore[arg-type]


def flowers() -> Setup:
    """Few rows, and a single feature that is nearly enough without being a leak."""
    features, labels = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    scaled = torch.tensor((features[order] - features.mean(0)) / features.std(0), dtype=torch.float32)
    truth = torch.tensor(labels[order], dtype=torch.int64)
    return Setup((scaled[:105], truth[:105]), (scaled[105:], truth[105:]), perceptron(4, 3))


class Pictures(nn.Module):
    """A small convolutional network with normalisation and dropout, its rectifiers as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.norm, self.drop, self.last = nn.BatchNorm2d(8), nn.Dropout(0.2), nn.Linear(16 * 16, 10)

    def forward(self, pictures: Tensor) -> Tensor:
        once = torch.relu(self.norm(self.first(pictures)))
        twice = nn.functional.max_pool2d(nn.functional.relu(self.second(once)), 2)
        outputs: Tensor = self.last(self.drop(twice.flatten(1)))
        return outputs


def pictures() -> Setup:
    made = digits()
    torch.manual_seed(0)
    shaped = lambda pair: (pair[0].reshape(-1, 1, 8, 8), pair[1])  # noqa: E731
    return replace(made, train=shaped(made.train), validation=shaped(made.validation), network=Pictures())


class Words(nn.Module):
    """The mean of embeddings of tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.last = nn.Embedding(200, 16), nn.Linear(16, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        outputs: Tensor = self.last(torch.relu(self.table(tokens).mean(dim=1)))
        return outputs


def sentences() -> Setup:
    """Twenty tokens each, of which some stand more often in one class."""
    draw = np.random.default_rng(3)
    labels = draw.integers(0, 2, 1400)
    plain, telling = draw.integers(0, 200, (1400, 20)), draw.integers(0, 20, (1400, 20)) + 20 * labels[:, None]
    tokens = torch.tensor(np.where(draw.random((1400, 20)) < 0.2, telling, plain))
    truth = torch.tensor(labels)
    torch.manual_seed(0)
    return Setup((tokens[:1000], truth[:1000]), (tokens[1000:], truth[1000:]), Words(), rate=1e-2)


HEALTHY: dict[str, Callable[[], Setup]] = {
    "digits": digits,
    "pictures": pictures,
    "sentences": sentences,
    "table": table,
    "weak signal": lambda: table(signal=0.5),
    "one in twenty": lambda: table(signal=2.0, positives=0.05, rows=3000),
    "numbers": numbers,
    "tags": tags,
    "flowers": flowers,
}


def _with_train(made: Setup, features: Tensor | None = None, labels: Tensor | None = None) -> Setup:
    first, second = made.train
    return replace(made, train=(first if features is None else features, second if labels is None else labels))


def shuffled_labels() -> Setup:
    made = digits()
    torch.manual_seed(5)
    return _with_train(made, labels=made.train[1][torch.randperm(ROWS)])


def wrong_labels() -> Setup:
    made = digits()
    torch.manual_seed(5)
    wrong = torch.rand(ROWS) < 0.12
    other = (made.train[1] + torch.randint(1, 10, (ROWS,))) % 10
    return _with_train(made, labels=torch.where(wrong, other, made.train[1]))


def labels_one_row_off() -> Setup:
    made = digits()
    return _with_train(made, labels=made.train[1].roll(1))


def leaky_feature() -> Setup:
    made = table()
    pairs = made.train, made.validation
    leaked = tuple((torch.cat([rows, 3 * truth + 0.1 * rows[:, :1]], 1), truth) for rows, truth in pairs)
    return replace(made, train=leaked[0], validation=leaked[1], network=perceptron(11, 1))


def split_off_by_one() -> Setup:
    made = digits()
    rows, truth = made.validation
    return replace(made, validation=(torch.cat([made.train[0][-1:], rows]), torch.cat([made.train[1][-1:], truth])))


def rows_in_both_splits() -> Setup:
    made = digits()
    rows, truth = made.validation
    return replace(made, validation=(torch.cat([made.train[0][50:60], rows]), torch.cat([made.train[1][50:60], truth])))


def unscaled_input() -> Setup:
    made = table()
    scale = torch.tensor([1.0, 1e5, 1e-2, *[1.0] * 7])
    return replace(made, train=(made.train[0] * scale, made.train[1]),
                   validation=(made.validation[0] * scale, made.validation[1]))  # fmt: skip


def no_shuffle() -> Setup:
    made = digits()
    order = made.train[1].argsort()
    return replace(made, train=(made.train[0][order], made.train[1][order]), shuffle=False)


def softmax_twice() -> Setup:
    return replace(digits(), network=perceptron(64, 10, nn.Softmax(dim=-1)))


def logits_as_log_probabilities() -> Setup:
    return replace(digits(), loss=nn.functional.nll_loss)


def shapes_that_broadcast() -> Setup:
    made = numbers()
    train, validation = ((rows, truth[:, 0]) for rows, truth in (made.train, made.validation))
    return replace(made, train=train, validation=validation)


def classes_that_begin_at_one() -> Setup:
    made = digits()
    return _with_train(made, labels=made.train[1] + 1)


def too_few_outputs() -> Setup:
    return replace(digits(), network=perceptron(64, 9))


def one_output_for_ten_classes() -> Setup:
    def loss(outputs: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.mse_loss(outputs[:, 0], labels.float())

    return replace(digits(), network=perceptron(64, 1), loss=loss)


class Slow(TensorDataset):
    """Whose rows take a while each."""

    def __getitem__(self, row: int) -> tuple[Tensor, ...]:
        time.sleep(0.001)
        rows: tuple[Tensor, ...] = super().__getitem__(row)
        return rows


def slow_rows() -> Setup:
    return replace(digits(), rows=Slow)


def frozen_layer() -> Setup:
    return replace(digits(), frozen=True)


def layer_without_gradients() -> Setup:
    made = digits()
    for weight in made.network[2].parameters():  # type: ignore[index]
        weight.requires_grad = False
    return made


def dead_rectifier() -> Setup:
    made = digits()
    with torch.no_grad():
        made.network[2].bias.fill_(-50.0)  # type: ignore[index]
    return made


def exploding_rate() -> Setup:
    return replace(digits(), rate=3.0)


def rate_of_nothing() -> Setup:
    return replace(digits(), rate=1e-9)


class Rooted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(64, 10)

    def forward(self, rows: Tensor) -> Tensor:
        outputs: Tensor = self.last(rows.sqrt())
        return outputs


def root_of_less_than_zero() -> Setup:
    return replace(digits(), network=Rooted())


def missing_numbers() -> Setup:
    made = digits()
    rows = made.train[0].clone()
    rows[3, 5] = float("nan")
    return _with_train(made, rows)


def classes_in_another_order() -> Setup:
    made = digits()
    return replace(made, validation=(made.validation[0], (made.validation[1] + 3) % 10))


SICK: dict[str, tuple[Callable[[], Setup], str]] = {
    "shuffled labels": (shuffled_labels, "labels do not belong to the rows"),
    "wrong labels": (wrong_labels, "wrong labels"),
    "labels one row off": (labels_one_row_off, "labels one row off"),
    "leaky feature": (leaky_feature, "leaking feature"),
    "split off by one": (split_off_by_one, "rows in both splits"),
    "rows in both splits": (rows_in_both_splits, "rows in both splits"),
    "unscaled input": (unscaled_input, "unscaled input"),
    "no shuffle": (no_shuffle, "rows are not shuffled"),
    "softmax twice": (softmax_twice, "wrong loss"),
    "logits as log probabilities": (logits_as_log_probabilities, "wrong loss"),
    "shapes that broadcast": (shapes_that_broadcast, "wrong loss"),
    "classes that begin at one": (classes_that_begin_at_one, "the first step fails"),
    "too few outputs": (too_few_outputs, "the first step fails"),
    "one output for ten classes": (one_output_for_ten_classes, "wrong loss"),
    "slow rows": (slow_rows, "slow loader"),
    "frozen layer": (frozen_layer, "frozen layer"),
    "layer without gradients": (layer_without_gradients, "frozen layer"),
    "dead rectifier": (dead_rectifier, "dead units"),
    "exploding rate": (exploding_rate, "learning rate too high"),
    "rate of nothing": (rate_of_nothing, "learning rate too low"),
    "root of less than zero": (root_of_less_than_zero, "not a number inside"),
    "missing numbers": (missing_numbers, "no numbers"),
    "classes in another order": (classes_in_another_order, "validation is of another kind"),
}
