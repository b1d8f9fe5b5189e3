"""The one page of a whole run, from raw data to the end of the rollout."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.reporting import call_section, data_section, evaluation_section, rollout_section, tuning_section
from seaway.reporting.data_section import Subject
from seaway.reporting.page import Page, Text, Tile
from seaway.storage import read_json
from seaway.version import VERSION


@dataclass(frozen=True)
class ReportInputs:
    """The artifacts of a run; folders as the steps wrote them, `train` a Parquet file.

    `validation` is the validation's one-line summary. What a pipeline does not make is None, and its section is left
    out.
    """

    train: Path
    model: Path
    evaluation: Path
    package: Path
    endpoint: Path
    rollout: Path
    tables: Path | None = None
    validation: str = ""
    repository: Path | None = None
    baseline: Path | None = None
    study: Path | None = None
    subject: Subject = field(default_factory=Subject)


def write_report(inputs: ReportInputs, output: Path) -> str:
    """Write the page to `output` and return its one-line summary.

    Raises:
        DataUnreadable: an artifact is missing or broken; the message names the file.
    """
    evaluation = read_json(inputs.evaluation / "evaluation.json")
    rollout = read_json(inputs.rollout / "rollout.json")
    signature = read_json(inputs.package / "signature.json")
    endpoint = read_json(inputs.endpoint / "endpoint.json")
    label = inputs.subject.label or evaluation["label"]
    page = _head(inputs, evaluation, rollout, endpoint)
    if inputs.tables is not None:
        page.section("Data", Text(inputs.validation), *data_section.data_blocks(inputs.tables, inputs.subject))
    positive = evaluation.get("positive", label)
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
    page.section("Rollout", *rollout_section.rollout_blocks(rollout), badge=rollout_section.decision_badge(rollout))
    if around := rollout_section.callers_blocks(rollout):
        page.section("Around the endpoint", *around)
    page.section(
        "Lineage", *rollout_section.lineage_blocks(read_json(inputs.package / "lineage.json"), rollout["arms"])
    )
    page.section("Call it", *call_section.calling_blocks(endpoint, signature))
    page.write(output)
    return f"{rollout_section.decision_badge(rollout).text}, {evaluation_section.headline(evaluation)}"


def _head(
    inputs: ReportInputs, evaluation: Mapping[str, Any], rollout: Mapping[str, Any], endpoint: Mapping[str, Any]
) -> Page:
    badge = rollout_section.decision_badge(rollout)
    requests = sum(sum(tick["requests"].values()) for tick in rollout["ticks"])
    outcomes = evaluation["gate"]["outcomes"]
    tiles = [
        Tile("Decision", badge, f"after {requests:,} requests", badge.tone),
        Tile(
            "Gate",
            evaluation_section.gate_badge(evaluation),
            _met(outcomes),
            "good" if evaluation["gate"]["passed"] else "bad",
        ),
        *evaluation_section.tiles(evaluation)[:2],
        *([_rows(inputs.tables, inputs.subject.table)] if inputs.tables else []),
    ]
    footer = f"Run {endpoint['run']}. Seaway {VERSION}. Intervals are 95 %; those of the rollout hold at all looks."
    return Page(f"Run of {endpoint['name']}", _lead(evaluation, rollout), badge, tiles, footer)


def _rows(tables: Path, table: str) -> Tile:
    rows = data_section.table_rows(tables)
    return Tile("Rows", rows.get(table, sum(rows.values())), table)


def _lead(evaluation: Mapping[str, Any], rollout: Mapping[str, Any]) -> str:
    ends = {
        "PROMOTE": "The candidate was promoted and serves all traffic.",
        "ROLLBACK": "The candidate was rolled back; the stable model serves all traffic.",
        "UNCHANGED": "The candidate is the model already in production, so there was nothing to roll out.",
        "INCONCLUSIVE": "The rollout could not decide, so the stable model serves all traffic.",
    }
    return " ".join([ends.get(rollout["decision"], ""), *evaluation["comparisons"][-1:]]).strip()


def _met(outcomes: list[Mapping[str, Any]]) -> str:
    return f"{sum(outcome['passed'] for outcome in outcomes)} of {len(outcomes)} rules are met"


def _views(inputs: ReportInputs) -> Mapping[str, int]:
    if inputs.repository is None:
        return {}
    views: Mapping[str, int] = read_json(inputs.repository / "repository.json")["rows"]
    return views


def _histories(inputs: ReportInputs) -> dict[str, list[dict[str, float]]]:
    trained = {"this model": inputs.model, "baseline": inputs.baseline}
    return {name: _history(folder) for name, folder in trained.items() if folder is not None}


def _history(model: Path) -> list[dict[str, float]]:
    file = model / "history.jsonl"
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, json.JSONDecodeError) as error:
        raise DataUnreadable(f"{file} is no readable training history ({error}); train the model anew.") from error
