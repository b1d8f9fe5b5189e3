"""Training examples with synthetic ones behind them, if these pass the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from seaway.data.ingestion import write_table
from seaway.data.synthetic.copula import Copula
from seaway.data.synthetic.quality import Columns, Quality, loss_of, measure
from seaway.errors import DataUnreadable, GateClosed, InvalidSpec

FEWEST_HELD = 2
SYNTHETIC = "synthetic"  # column that says which rows were made
GATE = {"min_shapes": 0.85, "min_pairs": 0.75, "max_closer": 0.6, "max_copies": 0.05, "max_loss": 0.1}
FIGURES = tuple(Quality.__dataclass_fields__)


@dataclass(frozen=True)
class Wanted:
    """What is to be made.

    Attributes:
        label: Column of the class.
        numeric, categorical: The inputs.
        rows: How many, by class; each class is learnt from its own rows.
        gate: Bounds such as {"min_shapes": 0.9}; those of `GATE` stand where nothing else is said.
        seed: Of all that is drawn.

    Raises:
        InvalidSpec: no input, no class, a count below 1, or an unknown bound.
    """

    label: str
    numeric: Sequence[str]
    categorical: Sequence[str]
    rows: Mapping[str, int]
    gate: Mapping[str, float]
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.rows or min(self.rows.values()) < 1 or not (*self.numeric, *self.categorical):
            raise InvalidSpec("Name inputs, and for each class how many rows are to be made, 1 or more.")
        if strange := sorted(
            name for name in self.gate if name.removeprefix("min_").removeprefix("max_") not in FIGURES
        ):
            raise InvalidSpec(f"The gate has no rule {', '.join(strange)}; there are {', '.join(GATE)}.")

    @property
    def columns(self) -> list[str]:
        return [*self.numeric, *self.categorical, self.label]


def synthesize(train: Path, held: Path, wanted: Wanted, target: Path) -> Quality:
    """Write the training examples with made rows behind them, which `synthetic` tells; nothing where the gate closes.

    Args:
        train: Examples to learn from.
        held: Real examples that the made ones are held against; none is written, or learnt from.
        wanted: See there.
        target: Parquet file.

    Raises:
        DataUnreadable: a column is missing, or a class has too few rows.
        GateClosed: names each bound that the made rows miss.
    """
    table, real = _read(train, wanted)
    other = _read(held, wanted)[1]
    made = _made(real, wanted)
    chosen, seen = (rows[rows[wanted.label].astype(str).isin(set(wanted.rows))] for rows in (real, other))
    if len(seen) < FEWEST_HELD:
        raise DataUnreadable(
            f"{held} has {len(seen)} rows of {', '.join(wanted.rows)}; made rows need {FEWEST_HELD} to be held against."
        )
    columns = Columns(wanted.numeric, wanted.categorical, wanted.label)
    loss = loss_of(real, pd.concat([real.drop(chosen.index), made], ignore_index=True), other, columns)
    found = measure(chosen, made, seen, columns, loss, wanted.seed)
    _require(found, {**GATE, **wanted.gate})
    write_table(pa.concat_tables([_marked(table, False), _marked(_typed(made, table), True)]), target)
    return found


def _read(file: Path, wanted: Wanted) -> tuple[pa.Table, pd.DataFrame]:
    try:
        table = parquet.ParquetFile(file).read()
    except (OSError, ValueError) as error:
        raise DataUnreadable(f"{file} is no readable Parquet file ({error}).") from error
    if missing := [name for name in wanted.columns if name not in table.column_names]:
        raise DataUnreadable(f"{file} has no column {', '.join(missing)}; it has {', '.join(table.column_names)}.")
    return table, table.select(wanted.columns).to_pandas()


def _made(real: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Rows of each class by a copula of its own."""
    generator = np.random.default_rng(wanted.seed)
    labels = real[wanted.label].astype(str)
    parts = []
    for name, count in wanted.rows.items():
        own = real[labels == name]
        if own.empty:
            raise DataUnreadable(f"No row is of class {name}; there are {', '.join(sorted(set(labels)))}.")
        copula = Copula.of(own, wanted.numeric, wanted.categorical, wanted.seed)
        parts.append(copula.draw(count, generator).assign(**{wanted.label: own[wanted.label].iloc[0]}))
    return pd.concat(parts, ignore_index=True)


def _require(found: Quality, gate: Mapping[str, float]) -> None:
    missed = []
    for rule, bound in gate.items():
        least, value = rule.startswith("min_"), found.to_json()[rule[4:]]
        if value < bound if least else value > bound:
            missed.append(f"{rule[4:]} is {value:.3f}, and at {'least' if least else 'most'} {bound:g} is wanted")
    if missed:
        raise GateClosed(f"The synthetic rows are not used: {'; '.join(missed)}.")


def _marked(table: pa.Table, made: bool) -> pa.Table:
    table = table.drop_columns([SYNTHETIC]) if SYNTHETIC in table.column_names else table
    return table.append_column(SYNTHETIC, pa.array([made] * table.num_rows))


def _typed(made: pd.DataFrame, like: pa.Table) -> pa.Table:
    """The made rows with all columns of the examples; those that nobody asked for are missing."""
    columns = {}
    for field in like.schema:
        if field.name in made:
            columns[field.name] = pa.Array.from_pandas(made[field.name]).cast(field.type, safe=False)
        elif field.name != SYNTHETIC:
            columns[field.name] = pa.nulls(len(made), field.type)
    return pa.table(columns).cast(pa.schema([field for field in like.schema if field.name != SYNTHETIC]))
