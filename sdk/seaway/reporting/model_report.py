"""The page of a model before its release: data, training, evaluation and gate; kept for the page of the whole run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seaway.reporting import data_report, data_section, evaluation_section, tuning_section
from seaway.reporting.page import Badge, Page, Tile, Tone
from seaway.storage import read_json
from seaway.version import VERSION


@dataclass(frozen=True)
class ModelInputs:
    """What the page is made of; folders as the steps wrote them.

    Attributes:
        evaluation: made by `evaluate_model`: figures, gate, and how each model was trained.
        data: made by `describe_data`; None leaves its sections out.
        study: made by `tune_model`; None leaves it out.
        origins: which data the training rows were made of: version, source, and the version that it read.
    """

    evaluation: Path
    data: Path | None = None
    study: Path | None = None
    origins: Sequence[Mapping[str, str]] = ()


def write_model_report(inputs: ModelInputs, output: Path) -> dict[str, Any]:
    """Write the page to `output`; gives what the page of the run takes over.

    Raises:
        DataUnreadable: an artifact is missing or broken; the message names the file.
    """
    evaluation = read_json(inputs.evaluation / "evaluation.json")
    data = data_report.read_kept(inputs.data) if inputs.data else {"tiles": [], "sections": []}
    badge, lead = evaluation_section.gate_badge(evaluation), _lead(evaluation)
    tiles = [*_tiles(evaluation), *map(kept_tile, data["tiles"])]
    page = Page("The model before its release", lead, badge, tiles, f"Seaway {VERSION}. Intervals are 95 %.")
    _add_sections(page.take(data["sections"]), inputs, evaluation)
    page.write(output)
    return {
        "summary": f"{badge.text}, {evaluation_section.headline(evaluation)}",
        "gate": asdict(badge),
        "lead": _comparison(evaluation),
        "tiles": [{**asdict(tile), "value": _plain(tile)} for tile in page.tiles],
        "sections": page.kept(),
    }


def kept_tile(tile: Mapping[str, Any]) -> Tile:
    """A key figure as it was kept."""
    value = tile["value"]
    return Tile(**{**tile, "value": Badge(**value) if isinstance(value, dict) else value})


def _plain(tile: Tile) -> Any:
    return asdict(tile.value) if isinstance(tile.value, Badge) else tile.value


def _add_sections(page: Page, inputs: ModelInputs, evaluation: Mapping[str, Any]) -> None:
    if inputs.origins:
        page.section("Data version", *data_section.origin_blocks(inputs.origins))
    if inputs.study is not None:
        page.section("Tuning", *tuning_section.study_blocks(read_json(inputs.study / "study.json")))
    if histories := _histories(evaluation):
        page.section("Training", *data_section.learning_blocks(histories))
    page.section("Against the baselines", *evaluation_section.comparison(evaluation))
    page.section("Curves", *evaluation_section.curves(evaluation))
    page.section("Slices", *evaluation_section.slices(evaluation))
    page.section("Gate", *evaluation_section.gate(evaluation), badge=evaluation_section.gate_badge(evaluation))


def _tiles(evaluation: Mapping[str, Any]) -> list[Tile]:
    tone: Tone = "good" if evaluation["gate"]["passed"] else "bad"
    gate = Tile("Gate", evaluation_section.gate_badge(evaluation), _met(evaluation["gate"]["outcomes"]), tone)
    return [gate, *evaluation_section.tiles(evaluation)[:2]]


def _lead(evaluation: Mapping[str, Any]) -> str:
    """Why the gate is closed, first; else that it is open, and how the model compares."""
    closed = [f"{one['rule']}: {one['says']}" for one in evaluation["gate"]["outcomes"] if not one["passed"]]
    opening = f"The gate stays closed. {' '.join(closed)}" if closed else "The gate is open: the model may be released."
    return f"{opening} {_comparison(evaluation)}".strip()


def _comparison(evaluation: Mapping[str, Any]) -> str:
    return " ".join(evaluation["comparisons"][-1:])


def _met(outcomes: list[Mapping[str, Any]]) -> str:
    return f"{sum(outcome['passed'] for outcome in outcomes)} of {len(outcomes)} rules are met"


def _histories(evaluation: Mapping[str, Any]) -> dict[str, list[dict[str, float]]]:
    """By the models' names in words; the evaluated one first."""
    kept: Mapping[str, list[dict[str, float]]] = evaluation.get("trainings", {})
    return {"this model" if name == "model" else name.replace("_", " "): history for name, history in kept.items()}
