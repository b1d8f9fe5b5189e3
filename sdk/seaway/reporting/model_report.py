"""The page of a model before its release: data, training, evaluation and gate; kept for the page of the whole run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.reporting import data_section, evaluation_section, tuning_section
from seaway.reporting.data_section import Subject
from seaway.reporting.page import Badge, Page, Text, Tile, Tone
from seaway.storage import read_json, write_json
from seaway.version import VERSION

KEPT_FILE = "model_report.json"


@dataclass(frozen=True)
class ModelInputs:
    """The artifacts of a model; folders as the steps wrote them, `train` a Parquet file.

    `validation` is the validation's one-line summary. What a pipeline does not make is None, and its section is left
    out.
    """

    train: Path
    model: Path
    evaluation: Path
    tables: Path | None = None
    validation: str = ""
    repository: Path | None = None
    baseline: Path | None = None
    study: Path | None = None
    subject: Subject = field(default_factory=Subject)


def write_model_report(inputs: ModelInputs, output: Path, kept: Path) -> str:
    """Write the page to `output`, and into the folder `kept` what the page of the run takes over; gives a summary.

    Raises:
        DataUnreadable: an artifact is missing or broken; the message names the file.
    """
    evaluation = read_json(inputs.evaluation / "evaluation.json")
    badge, lead = evaluation_section.gate_badge(evaluation), _lead(evaluation)
    footer = f"Seaway {VERSION}. Intervals are 95 %."
    page = Page("The model before its release", lead, badge, _tiles(inputs, evaluation), footer)
    _add_sections(page, inputs, evaluation)
    page.write(output)
    summary = f"{badge.text}, {evaluation_section.headline(evaluation)}"
    tiles = [{**asdict(tile), "value": _plain(tile)} for tile in page.tiles]
    found = {"summary": summary, "lead": _comparison(evaluation), "tiles": tiles, "sections": page.kept()}
    write_json(kept / KEPT_FILE, found)
    return summary


def read_kept(folder: Path) -> dict[str, Any]:
    """What `write_model_report` kept. Raises: DataUnreadable."""
    value: dict[str, Any] = read_json(folder / KEPT_FILE)
    return value


def kept_tile(tile: Mapping[str, Any]) -> Tile:
    """A key figure as it was kept."""
    value = tile["value"]
    return Tile(**{**tile, "value": Badge(**value) if isinstance(value, dict) else value})


def _plain(tile: Tile) -> Any:
    return asdict(tile.value) if isinstance(tile.value, Badge) else tile.value


def _add_sections(page: Page, inputs: ModelInputs, evaluation: Mapping[str, Any]) -> None:
    signature, label = read_json(inputs.model / "signature.json"), inputs.subject.label or evaluation["label"]
    positive = evaluation.get("positive", label)
    if inputs.tables is not None:
        page.section("Data", Text(inputs.validation), *data_section.data_blocks(inputs.tables, inputs.subject))
    features = data_section.feature_blocks(
        _views(inputs), inputs.train, signature, label, "" if positive == label else positive
    )
    page.section("Features", *features)
    if inputs.study is not None:
        page.section("Tuning", *tuning_section.study_blocks(read_json(inputs.study / "study.json")))
    page.section("Training", *data_section.learning_blocks(_histories(inputs)))
    page.section("Against the baselines", *evaluation_section.comparison(evaluation))
    page.section("Curves", *evaluation_section.curves(evaluation))
    page.section("Slices", *evaluation_section.slices(evaluation))
    page.section("Gate", *evaluation_section.gate(evaluation), badge=evaluation_section.gate_badge(evaluation))


def _tiles(inputs: ModelInputs, evaluation: Mapping[str, Any]) -> list[Tile]:
    tone: Tone = "good" if evaluation["gate"]["passed"] else "bad"
    gate = Tile("Gate", evaluation_section.gate_badge(evaluation), _met(evaluation["gate"]["outcomes"]), tone)
    rows = [_rows(inputs.tables, inputs.subject.table)] if inputs.tables else []
    return [gate, *evaluation_section.tiles(evaluation)[:2], *rows]


def _lead(evaluation: Mapping[str, Any]) -> str:
    """Why the gate is closed, first; else that it is open, and how the model compares."""
    closed = [f"{one['rule']}: {one['says']}" for one in evaluation["gate"]["outcomes"] if not one["passed"]]
    opening = f"The gate stays closed. {' '.join(closed)}" if closed else "The gate is open: the model may be released."
    return f"{opening} {_comparison(evaluation)}".strip()


def _comparison(evaluation: Mapping[str, Any]) -> str:
    return " ".join(evaluation["comparisons"][-1:])


def _met(outcomes: list[Mapping[str, Any]]) -> str:
    return f"{sum(outcome['passed'] for outcome in outcomes)} of {len(outcomes)} rules are met"


def _rows(tables: Path, table: str) -> Tile:
    rows = data_section.table_rows(tables)
    return Tile("Rows", rows.get(table, sum(rows.values())), table)


def _views(inputs: ModelInputs) -> Mapping[str, int]:
    if inputs.repository is None:
        return {}
    views: Mapping[str, int] = read_json(inputs.repository / "repository.json")["rows"]
    return views


def _histories(inputs: ModelInputs) -> dict[str, list[dict[str, float]]]:
    trained = {"this model": inputs.model, "baseline": inputs.baseline}
    return {name: _history(folder) for name, folder in trained.items() if folder is not None}


def _history(model: Path) -> list[dict[str, float]]:
    file = model / "history.jsonl"
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, json.JSONDecodeError) as error:
        raise DataUnreadable(f"{file} is no readable training history ({error}); train the model anew.") from error
