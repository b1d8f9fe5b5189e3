"""Training examples with changed copies behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seaway.data.augmentation import numbers, pictures, words
from seaway.data.augmentation.siblings import AUGMENTED, ORIGINAL, refuse_augmented, row_hashes
from seaway.data.ingestion import write_table
from seaway.errors import DataUnreadable, InvalidSpec

if TYPE_CHECKING:
    import pyarrow as pa

PROBABILITIES = ("drop", "swap", "replace")


@dataclass(frozen=True)
class Changes:
    """What is changed, and how.

    Attributes:
        label: Column of the class, which stays.
        numeric: Columns of numbers, for `noise` and `mixup`.
        texts: Columns of texts, for `drop`, `swap` and `replace`.
        images: Columns of encoded pictures, for `transforms`.
        noise: Deviation of the noise, as a share of the column's.
        mixup: Alpha of the Beta distribution by which a row is moved towards another of its class; 0 for not.
        drop, swap, replace: Probability of each for a word.
        transforms: Of `torchvision.transforms.v2`, each with its arguments.
        copies: Changed copies of each row.
        classes: Whose rows are copied; none for all.
        seed: Of all that is drawn.

    Raises:
        InvalidSpec: nothing would be changed, or a value is out of range.
    """

    label: str
    numeric: Sequence[str] = ()
    texts: Sequence[str] = ()
    images: Sequence[str] = ()
    noise: float = 0.0
    mixup: float = 0.0
    drop: float = 0.0
    swap: float = 0.0
    replace: float = 0.0
    transforms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    copies: int = 1
    classes: Sequence[str] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.copies < 1 or self.noise < 0 or self.mixup < 0:
            raise InvalidSpec(
                f"{self.copies} copies, noise {self.noise}, mixup {self.mixup}: 1 copy or more, none below 0."
            )
        if wrong := [name for name in PROBABILITIES if not 0 <= getattr(self, name) < 1]:
            raise InvalidSpec(f"{', '.join(wrong)} must be a probability below 1.")
        for columns, ways in (
            ("numeric", ("noise", "mixup")), ("texts", PROBABILITIES), ("images", ("transforms",)),
        ):  # fmt: skip
            if bool(getattr(self, columns)) != any(getattr(self, way) for way in ways):
                raise InvalidSpec(f"{columns} and one of {', '.join(ways)} go together: what is changed, and how.")
        if not self.columns:
            raise InvalidSpec("Nothing would be changed: name columns of numbers, texts or pictures.")

    @property
    def columns(self) -> list[str]:
        return [*self.numeric, *self.texts, *self.images]


def augment(train: Path, changes: Changes, target: Path) -> int:
    """Write the training examples and changed copies of them, which `augmented` tells; how many copies there are.

    `augmented_from` is the hash of a copy's original. A copy in which chance has changed nothing is left out.

    Args:
        train: Examples of the training split.
        changes: See there.
        target: Parquet file.

    Raises:
        DataUnreadable: a column is missing or of another kind, no row is of a class, or the rows were augmented before.
    """
    import pyarrow as pa
    from pyarrow import parquet

    refuse_augmented(train, "augment the examples of the split itself.")
    try:
        rows = parquet.ParquetFile(train).read()
    except (OSError, ValueError) as error:
        raise DataUnreadable(f"{train} is no readable Parquet file ({error}).") from error
    if missing := [name for name in (*changes.columns, changes.label) if name not in rows.column_names]:
        raise DataUnreadable(f"{train} has no column {', '.join(missing)}; it has {', '.join(rows.column_names)}.")
    chosen = np.tile(_chosen(rows, changes), changes.copies)
    hashes = pa.array(row_hashes(rows, rows.column_names)).take(pa.array(chosen))
    made = _changed(rows, chosen, changes)
    differ = pa.array(_differ(made, rows.take(pa.array(chosen)), changes.columns))
    copies = _marked(made, hashes).filter(differ)
    write_table(pa.concat_tables([_marked(rows, pa.nulls(rows.num_rows, pa.string())), copies]), target)
    return int(copies.num_rows)


def _chosen(rows: "pa.Table", changes: Changes) -> npt.NDArray[np.int64]:
    """Places of the rows that get copies."""
    labels = list(map(str, rows[changes.label].to_pylist()))
    if unknown := sorted(set(changes.classes) - set(labels)):
        raise DataUnreadable(f"No row is of class {', '.join(unknown)}; there are {', '.join(sorted(set(labels)))}.")
    wanted = set(changes.classes) or set(labels)
    return np.array([place for place, label in enumerate(labels) if label in wanted], np.int64)


def _changed(rows: "pa.Table", chosen: npt.NDArray[np.int64], changes: Changes) -> "pa.Table":
    import pyarrow as pa

    generator = np.random.default_rng(changes.seed)
    made = rows.take(pa.array(chosen))
    columns: dict[str, list[Any]] = {}
    if changes.numeric:
        moved = _numbers(rows, chosen, changes, generator)
        columns |= {
            name: [None if np.isnan(one) else one for one in moved[:, place]]
            for place, name in enumerate(changes.numeric)
        }
    columns |= {name: _texts(rows, made, name, changes, generator) for name in changes.texts}
    columns |= {
        name: pictures.changed(made[name].to_pylist(), changes.transforms, changes.seed) for name in changes.images
    }
    for name, values in columns.items():
        place, field = made.schema.get_field_index(name), made.schema.field(name)
        made = made.set_column(place, field, _typed(values, field))
    return made


def _numbers(
    rows: "pa.Table", chosen: npt.NDArray[np.int64], changes: Changes, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """[copies, columns]: first mixed, then with noise."""
    from seaway.storage.arrow_numpy import numbers as as_numbers

    values = np.column_stack([as_numbers(rows[name]) for name in changes.numeric])
    found = values[chosen]
    if changes.mixup:
        labels = np.unique(list(map(str, rows[changes.label].to_pylist())), return_inverse=True)[1]
        found = numbers.mixed(values, chosen, labels, changes.mixup, generator)
    if changes.noise:
        found = found + numbers.noisy(values, chosen, changes.noise, generator) - values[chosen]
    return found


def _texts(
    rows: "pa.Table", made: "pa.Table", name: str, changes: Changes, generator: np.random.Generator
) -> list[str | None]:
    vocabulary = words.Vocabulary.of(rows[name].to_pylist())
    chances = (changes.drop, changes.swap, changes.replace)
    return [text and words.changed(text, vocabulary, *chances, generator) for text in made[name].to_pylist()]


def _typed(values: Sequence[Any], field: "pa.Field") -> "pa.Array":
    """As the column has them: whole numbers are rounded."""
    import pyarrow as pa

    try:
        if pa.types.is_integer(field.type):
            values = [None if one is None else round(one) for one in values]
        return pa.array(values).cast(field.type, safe=False) if values else pa.nulls(0, field.type)
    except (pa.ArrowException, TypeError) as error:
        raise DataUnreadable(f"Column {field.name!r} of {field.type} cannot be changed so: {error}.") from error


def _differ(made: "pa.Table", rows: "pa.Table", columns: Sequence[str]) -> list[bool]:
    pairs = zip(row_hashes(made, columns), row_hashes(rows, columns), strict=True)
    return [one != other for one, other in pairs]


def _marked(rows: "pa.Table", originals: "pa.Array") -> "pa.Table":
    return rows.append_column(AUGMENTED, originals.is_valid()).append_column(ORIGINAL, originals)
