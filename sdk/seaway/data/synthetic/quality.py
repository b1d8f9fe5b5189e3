"""Whether synthetic rows are like real ones, and not the real ones again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree
from scipy.stats import ks_2samp

Floats = npt.NDArray[np.float64]
COMPARED = 5000  # rows of each side, at most, drawn
BINS = 10  # of a number beside a category
RIDGE = 1.0  # of the model that is trained on either


@dataclass(frozen=True)
class Quality:
    """Figures in [0, 1].

    Attributes:
        shapes: Mean likeness of the columns' distributions: 1 less Kolmogorov-Smirnov's or the total variation.
        pairs: Mean likeness of two columns' joint distribution: 1 less the total variation, numbers in tenths.
        closer: Share of synthetic rows that are closer to a row of training than to a held-out one: a half where
            nothing is remembered, 1 where rows are copies.
        copies: Share of synthetic rows that are a row of training, less the share of held-out rows that are.
        loss: By how much a linear model is right less often on held-out rows for having learnt from synthetic rows.
    """

    shapes: float
    pairs: float
    closer: float
    copies: float
    loss: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Columns:
    """The inputs, and the class, which is none of them."""

    numeric: Sequence[str]
    categorical: Sequence[str]
    label: str

    @property
    def compared(self) -> list[str]:
        """All of them: the class is a category."""
        return [*self.numeric, *self.categorical, self.label]


def measure(
    real: pd.DataFrame, made: pd.DataFrame, held: pd.DataFrame, columns: Columns, loss: float, seed: int
) -> Quality:
    """Compare made rows with those that they were learnt from, and with real ones that nobody has learnt from."""
    generator = np.random.default_rng(seed)
    real, made, held = (_drawn(rows, COMPARED, generator) for rows in (real, made, held))
    both = columns.compared
    binned = {name: _bins(real[name], name in columns.numeric) for name in both}
    pairs = [_pair(real, made, one, other, binned) for place, one in enumerate(both) for other in both[:place]]
    return Quality(
        shapes=float(np.mean([_shape(real[name], made[name], name in columns.numeric) for name in both])),
        pairs=float(np.mean(pairs)),
        closer=_closer(real, made, held, columns, generator),
        copies=max(_copied(made, real, both) - _copied(held, real, both), 0.0),
        loss=loss,
    )


def loss_of(real: pd.DataFrame, replaced: pd.DataFrame, held: pd.DataFrame, columns: Columns) -> float:
    """By how much a model that learns from `replaced` rather than `real` is right less often on held-out rows."""
    return _accuracy(real, held, columns) - _accuracy(replaced, held, columns)


def _copied(rows: pd.DataFrame, real: pd.DataFrame, names: Sequence[str]) -> float:
    """The share of rows that are one of the real ones."""
    known = set(_texts(real, names))
    return float(np.mean([text in known for text in _texts(rows, names)]))


def _texts(rows: pd.DataFrame, names: Sequence[str]) -> "pd.Series[str]":
    """Each row as one text."""
    return rows[list(names)].astype(str).agg("\0".join, axis=1)


def _drawn(rows: pd.DataFrame, count: int, generator: np.random.Generator) -> pd.DataFrame:
    if len(rows) <= count:
        return rows.reset_index(drop=True)
    return rows.iloc[generator.permutation(len(rows))[:count]].reset_index(drop=True)


def _shape(real: "pd.Series[float]", made: "pd.Series[float]", numeric: bool) -> float:
    missing = [float(one.isna().to_numpy().mean()) for one in (real, made)]
    gaps = abs(missing[0] - missing[1])
    if not numeric:
        return 1 - _variation(real.astype(str), made.astype(str))
    there = real.dropna().to_numpy(float), made.dropna().to_numpy(float)
    far = float(ks_2samp(*there).statistic) if min(map(len, there)) else 0.0
    return 1 - max(far, gaps)


def _bins(real: "pd.Series[float]", numeric: bool) -> Floats | None:
    """Where tenths of the real numbers end; None for categories."""
    there = real.dropna().to_numpy(float) if numeric else np.array([])
    return np.unique(np.quantile(there, np.linspace(0, 1, BINS + 1)[1:-1])) if len(there) else None


def _pair(real: pd.DataFrame, made: pd.DataFrame, one: str, other: str, bins: dict[str, Floats | None]) -> float:
    joint = [_cells(rows[one], bins[one]) + "\0" + _cells(rows[other], bins[other]) for rows in (real, made)]
    return 1 - _variation(*joint)


def _cells(values: "pd.Series[float]", bins: Floats | None) -> "pd.Series[str]":
    if bins is None:
        return values.astype(str)
    placed = pd.Series(np.searchsorted(bins, values.to_numpy(float), "right").astype(str))
    return placed.where(values.notna().to_numpy(), "missing")


def _variation(real: "pd.Series[str]", made: "pd.Series[str]") -> float:
    counts = pd.DataFrame({"real": real.value_counts(normalize=True), "made": made.value_counts(normalize=True)})
    shares = counts.fillna(0.0).to_numpy(np.float64)
    return float(np.abs(shares[:, 0] - shares[:, 1]).sum() / 2)


def _closer(
    real: pd.DataFrame, made: pd.DataFrame, held: pd.DataFrame, columns: Columns, generator: np.random.Generator
) -> float:
    """Of as many rows of training as are held out; ties are half."""
    count = min(len(real), len(held))
    sides = [_drawn(rows, count, generator) for rows in (real, held)]
    places = _encoded([*sides, made], columns)
    near = [cKDTree(side).query(places[2])[0] for side in places[:2]]
    return float(np.mean(np.where(near[0] < near[1], 1.0, np.where(near[0] > near[1], 0.0, 0.5))))


def _encoded(frames: Sequence[pd.DataFrame], columns: Columns) -> list[Floats]:
    """The inputs: numbers by the first frame's mean and deviation, a missing one at the mean; categories as 0 and 1."""
    whole = pd.concat(frames, ignore_index=True)
    numbers = whole[list(columns.numeric)].astype("float64")
    first = numbers.iloc[: len(frames[0])]
    scaled = ((numbers - first.mean()) / first.std(ddof=0).replace(0, 1)).fillna(0).to_numpy(np.float64)
    named = whole[list(columns.categorical)].astype(str)
    one_hot = pd.get_dummies(named, dtype="float64").to_numpy(np.float64) if columns.categorical else scaled[:, :0]
    ends = np.cumsum([len(frame) for frame in frames])[:-1]
    return np.split(np.hstack([scaled, one_hot]), ends)


def _accuracy(train: pd.DataFrame, held: pd.DataFrame, columns: Columns) -> float:
    """Of a ridge regression onto the classes, on the held-out rows."""
    learnt, seen = (np.hstack([rows, np.ones((len(rows), 1))]) for rows in _encoded([train, held], columns))
    classes = sorted(set(train[columns.label].astype(str)))
    truth = np.array([[float(value == one) for one in classes] for value in train[columns.label].astype(str)])
    weights = np.linalg.solve(learnt.T @ learnt + RIDGE * np.eye(learnt.shape[1]), learnt.T @ truth)
    called = np.array(classes, object)[(seen @ weights).argmax(axis=1)]
    return float((called == held[columns.label].astype(str).to_numpy(object)).mean())
