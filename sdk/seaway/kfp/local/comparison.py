"""Runs side by side: what they were given, what they read, what they measured, and how their steps went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.data.origin import ORIGINS

Record = Mapping[str, Any]
PARTS = ("parameters", "figures", "data", "steps")
LONGEST = 200  # characters of a text that is a figure


@dataclass(frozen=True)
class Row:
    """One thing in all runs, None where a run lacks it."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values[1:])


@dataclass(frozen=True)
class Comparison:
    """Runs in the order that was asked for."""

    runs: tuple[str, ...]
    parameters: tuple[Row, ...]
    figures: tuple[Row, ...]
    data: tuple[Row, ...]
    steps: tuple[Row, ...]


def compare(records: Sequence[Record]) -> Comparison:
    """Parameters, figures and data by step and name, and each step's state and seconds."""
    told = [facts(record) for record in records]
    parts = {part: _rows([one[part] for one in told]) for part in PARTS}
    return Comparison(tuple(record["run"] for record in records), **parts)


def facts(record: Record) -> dict[str, Mapping[str, Any]]:
    """What one run has to be compared by, by part (`PARTS`) and name."""
    return {
        "parameters": record["arguments"],
        "figures": figures(record),
        "data": data(record),
        "steps": _ends(record),
    }


def figures(record: Record) -> dict[str, Any]:
    """Numbers and short texts that the steps of a run gave: metrics of artifacts, and outputs that are parameters."""
    return dict(_figures(record))


def _figures(record: Record) -> Iterable[tuple[str, Any]]:
    for step in record["steps"]:
        for output, value in step["outputs"].items():
            if not isinstance(value, dict) or "metadata" not in value:
                yield from _plain(f"{step['title']}: {output}", value)
            elif value["type"] == "system.Metrics":
                for name, figure in value["metadata"].items():
                    yield from _plain(f"{step['title']}: {name}", figure)


def _plain(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST):
        yield name, value


def data(record: Record) -> dict[str, Any]:
    """Of each data set that a run made: its rows, its hash, and the versions that it was read from or made of."""
    return dict(_data(record))


def _data(record: Record) -> Iterable[tuple[str, Any]]:
    for step in record["steps"]:
        for output, value in step["outputs"].items():
            if isinstance(value, dict) and value.get("type") == "system.Dataset":
                for name, told in _told_of_data(value["metadata"]).items():
                    yield f"{step['title']}: {output}: {name}", told


def _told_of_data(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What is not told is left out."""
    origins = ", ".join(one["version"] for one in metadata.get(ORIGINS, ()))
    read = metadata.get("read_from", {}).get("version", "")
    told = {"rows": metadata.get("rows"), "sha256": metadata.get("sha256"), "read version": read, "made of": origins}
    return {name: value for name, value in told.items() if value not in (None, "")}


def _ends(record: Record) -> dict[str, str]:
    return {step["title"]: f"{step['state']}, {step['seconds']:.1f} s" for step in record["steps"]}


def _rows(found: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    names = dict.fromkeys(name for one in found for name in one)
    return tuple(Row(name, tuple(one.get(name) for one in found)) for name in names)
