"""Rows of a file as a model takes them."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from seaway.errors import DataUnreadable
from seaway.evaluation import rows as held_out
from seaway.models import Signature
from seaway.models.signature import Array


def read_inputs(signature: Signature, rows: Path, more: Collection[str] = ()) -> pa.Table:
    """A model's inputs of a Parquet file, and `more` of its columns where they are there.

    Raises:
        DataUnreadable: the file is missing or empty, or lacks an input.
    """
    names = [spec.name for spec in signature.inputs]
    table = held_out.read(rows, names[0], {*names, *more})
    if missing := [name for name in names if name not in table.column_names]:
        raise DataUnreadable(f"The model takes {', '.join(missing)}, which {rows} lacks.")
    return table


def columns(signature: Signature, table: pa.Table) -> dict[str, Any]:
    """Columns as `Signature.encode` takes them; lists within lists as Python has them."""
    found = {spec.name: held_out.column(table, spec.name) for spec in signature.inputs}
    return {name: values.tolist() if _nested(values) else values for name, values in found.items()}


def _nested(values: Array) -> bool:
    return values.dtype == object and bool(len(values)) and isinstance(values[0], list)
