"""The rows as parts: one a row group, each with a file of answers that is written whole or not at all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import parquet

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import read_json, sha256, write_json

PLAN = "_plan.json"  # beside the answers, what they answer; readers of Parquet folders pass over such names


@dataclass(frozen=True)
class Part:
    """A row group of a file, and where its answers go."""

    file: Path
    group: int
    rows: int
    answers: Path

    @staticmethod
    def name(number: int) -> str:
        """Of the file of answers of the part with this number."""
        return f"part-{number:06}.parquet"

    @staticmethod
    def number_of(name: str) -> int:
        """What `name` was made of."""
        return int(name.removeprefix("part-").removesuffix(".parquet"))

    @property
    def done(self) -> bool:
        """Whether its answers are there."""
        return self.answers.exists()


def files(rows: Path) -> list[Path]:
    """The Parquet files, in the order of their names. Raises: DataUnreadable: there is none."""
    found = sorted(rows.glob("*.parquet")) if rows.is_dir() else [rows] * rows.is_file()
    if not found:
        raise DataUnreadable(f"{rows} is no Parquet file and holds none; give the rows that are to be predicted.")
    return found


def parts(rows: Path, predictions: Path) -> Iterator[Part]:
    """All row groups that have rows, numbered across the files. Raises: DataUnreadable."""
    number = 0
    for file in files(rows):
        try:
            footer = parquet.read_metadata(file)
        except (OSError, ValueError) as error:
            raise DataUnreadable(f"{file} is no readable Parquet file ({error}).") from error
        for group in range(footer.num_row_groups):
            if count := footer.row_group(group).num_rows:
                yield Part(file, group, count, predictions / Part.name(number))
                number += 1


def require_columns(file: Path, wanted: list[str]) -> None:
    """Raises: DataUnreadable: the file lacks one."""
    there = set(parquet.read_schema(file).names)
    if lacking := [name for name in wanted if name not in there]:
        raise DataUnreadable(f"{file} has no columns {lacking}; it has {sorted(there)}.")


def hashes(rows: Path) -> dict[str, str]:
    """SHA-256 by file."""
    return {file.name: sha256(file) for file in files(rows)}


def keep_plan(predictions: Path, plan: Mapping[str, Any]) -> None:
    """Say what the folder's answers answer. Raises: InvalidSpec: it has those to something else."""
    predictions.mkdir(parents=True, exist_ok=True)
    file = predictions / PLAN
    if file.exists() and (before := read_json(file)) != plan:
        changed = sorted(key for key in {*plan, *before} if before.get(key) != plan.get(key))
        raise InvalidSpec(
            f"{predictions} holds answers of another run, whose {', '.join(changed)} differ: give an empty folder."
        )
    write_json(file, plan)
