"""The evaluation of a model: its figures, its baselines, its slices, its gate, and the page that shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.evaluation import rows as held_out
from seaway.evaluation.gate import Gate, summary
from seaway.evaluation.metrics import Estimate, Predictions, areas, estimates, reliability
from seaway.features.project import EVENT_TIME
from seaway.models.package_files import GRAPH_FILE
from seaway.models.signature import Signature
from seaway.storage import sha256, write_json

MODEL = "model"
PRODUCTION = "production"
CURVE_POINTS = 100  # enough to draw, few enough for a dashboard
SMALL = 20  # of either class; below it a slice's ROC AUC says little
THRESHOLD = 0.5  # of the confusion matrix: the cheaper error is as dear as the other

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation as `evaluation.json` has it, and where it was written."""

    path: Path
    figures: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the gate opens."""
        return bool(self.figures["gate"]["passed"])

    @property
    def metrics(self) -> dict[str, float]:
        """The model's point estimates by name."""
        return dict(self.figures["metrics"])

    @property
    def roc(self) -> tuple[list[float], list[float], list[float]]:
        """False positive rates, true positive rates, thresholds; at most 100 points."""
        curve = self.figures["roc"][MODEL]
        return curve["false_positive_rate"], curve["true_positive_rate"], curve["threshold"]

    @property
    def confusion(self) -> list[list[int]]:
        """[[true negatives, false positives], [false negatives, true positives]]."""
        matrix: list[list[int]] = self.figures["confusion"]["matrix"]
        return matrix

    @property
    def summary(self) -> str:
        """One line: the figure that matters, its interval, the gate."""
        auc = self.figures["models"][MODEL]["roc_auc"]
        state = "open" if self.passed else "closed"
        return f"ROC AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f}), gate {state}"


def evaluate(
    model: Path,
    test: Path,
    train: Path,
    output: Path,
    *,
    baselines: Mapping[str, Path],
    production: Path | None,
    gate: Gate,
    slices: Sequence[str],
    label: str,
    group: str,
) -> Evaluation:
    """Compare a model with its baselines on held-out rows; write `evaluation.json` and `evaluation.html`.

    Args:
        model: Folder of the exported model.
        test: Parquet file of held-out rows, with `label` (0/1) and every input of every model.
        train: Parquet file of training rows; gives the historic rate of each `group`, the simplest baseline.
        output: Folder to write into.
        baselines: Folders of other exported models, by name.
        production: Folder of the model in production; None where there is none yet. Where a baseline is that model,
            it is measured once, as `production`, and `aliases` in the figures says so.
        gate: Rules that decide `Evaluation.passed`; a closed gate is a result, not an error.
        slices: Columns to break the ROC AUC down by; month, weekday and hour come from `event_timestamp`.
        label: Column that the models predict the probability of.
        group: Column whose historic rate is the simplest baseline, named `<group>_rate`.

    Raises:
        DataUnreadable: missing file, column or class, or a model that answers something other than probabilities.
        InvalidSpec: the gate compares with a model that is not there, or a slice column does not exist.
    """
    others = {**baselines, **({PRODUCTION: production} if production else {})}
    _check_names(gate, {f"{group}_rate", *others})
    wanted = {spec.name for folder in (model, *others.values()) for spec in Signature.read(folder).inputs}
    rows = held_out.read(test, label, {*wanted, *slices, group, EVENT_TIME})
    past = held_out.read(train, label, {group})
    aliases = {name: PRODUCTION for name in baselines if production and _same_graph(baselines[name], production)}
    measured = {MODEL: model} | {name: folder for name, folder in others.items() if name not in aliases}
    probabilities = {name: predict(folder, rows) for name, folder in measured.items()}
    probabilities[f"{group}_rate"] = held_out.group_rate(past, rows, group, label)
    figures = measure(rows, probabilities, slices, label)
    figures["aliases"] = aliases
    figures["notes"] = [f"The model in production is the {_words(name)}; it is shown once." for name in aliases]
    if production and _same_graph(model, production):
        figures["notes"].append("This model is the one in production: there is nothing new to compare.")
    figures["gate"] = summary(gate.check(figures))
    return _write(Evaluation(output, figures))


def _same_graph(one: Path, other: Path) -> bool:
    files = [folder / GRAPH_FILE for folder in (one, other)]
    return all(file.is_file() for file in files) and sha256(files[0]) == sha256(files[1])


def _words(name: str) -> str:
    return name.replace("_", " ")


def predict(folder: Path, rows: pa.Table) -> Floats:
    """The probability that an exported model gives each row.

    Raises:
        DataUnreadable: the rows lack an input, or an answer is no probability.
    """
    from seaway.models import ExportedModel

    names = [spec.name for spec in Signature.read(folder).inputs]
    if missing := [name for name in names if name not in rows.column_names]:
        raise DataUnreadable(f"The model in {folder} takes {', '.join(missing)}, which the test rows lack.")
    model = ExportedModel.load(folder)
    output = model.signature.outputs[0].name
    answer = model.predict({name: held_out.column(rows, name) for name in names})[output]
    probabilities = np.asarray(answer, np.float64).reshape(rows.num_rows, -1)[:, -1]
    if wrong := int((~((probabilities >= 0) & (probabilities <= 1))).sum()):
        raise DataUnreadable(
            f"The model in {folder} answers {wrong} of {rows.num_rows} rows with a {output} that is NaN or outside "
            "[0, 1]."
        )
    return probabilities


def measure(rows: pa.Table, probabilities: Mapping[str, Floats], slices: Sequence[str], label: str) -> dict[str, Any]:
    """Everything in `evaluation.json` but aliases, notes and gate.

    `probabilities` holds `model` and others, each of shape [rows].
    """
    positive = held_out.labels(rows, label)
    models = {name: Predictions(values, positive) for name, values in probabilities.items()}
    figures, differences = estimates(models, MODEL)
    return {
        "label": label,
        "rows": rows.num_rows,
        "positives": int(positive.sum()),
        "rate": float(positive.mean()),
        "period": _period(rows),
        "metrics": {name: round(estimate.value, 6) for name, estimate in figures[MODEL].items()},
        "models": _json(figures),
        "differences": _json(differences),
        "comparisons": [compare(name, difference["roc_auc"]) for name, difference in differences.items()],
        "reliability": reliability(models[MODEL]),
        "roc": {name: _roc(model) for name, model in models.items()},
        "precision_recall": {name: _precision_recall(model) for name, model in models.items()},
        "confusion": _confusion(models[MODEL]),
        "slices": _slices(rows, models[MODEL], slices),
    }


def compare(other: str, difference: Estimate) -> str:
    """A sentence that claims no more than the interval of a difference in ROC AUC allows."""
    name = _words(other)
    span = f"95 % interval {difference.low:+.4f} to {difference.high:+.4f}"
    if difference.low > 0:
        return f"The model beats {name} by {difference.value:.4f} in ROC AUC ({span})."
    if difference.high < 0:
        return f"The model is worse than {name} by {-difference.value:.4f} in ROC AUC ({span})."
    return f"The model does not beat {name}: the difference in ROC AUC is {difference.value:+.4f} ({span})."


def _check_names(gate: Gate, known: set[str]) -> None:
    if unknown := sorted(gate.others() - known):
        raise InvalidSpec(
            f"The gate compares with {', '.join(unknown)}, not evaluated here; there are: {', '.join(sorted(known))}."
        )


def _json(figures: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, dict[str, float]]]:
    return {name: {key: value.to_json() for key, value in parts.items()} for name, parts in figures.items()}


def _period(rows: pa.Table) -> list[str]:
    if EVENT_TIME not in rows.column_names:
        return []
    ends = compute.min_max(held_out.moments(rows))
    return [compute.strftime(ends[end], "%Y-%m-%d").as_py() for end in ("min", "max")]


def _roc(model: Predictions) -> dict[str, list[float]]:
    ranking = model.ranking
    false, true = (np.append(0.0, count / count[-1]) for count in (ranking.false_alarms, ranking.hits))
    kept = _spread(false + true)
    return {
        "false_positive_rate": _rounded(false[kept]),
        "true_positive_rate": _rounded(true[kept]),
        "threshold": _rounded(np.append(1.0, ranking.threshold)[kept]),
    }


def _precision_recall(model: Predictions) -> dict[str, list[float]]:
    ranking = model.ranking
    recall = np.append(0.0, ranking.hits / ranking.hits[-1])
    precision = np.append(1.0, ranking.hits / (ranking.hits + ranking.false_alarms))  # 1 where nothing is called yet
    kept = _spread(recall)
    return {"precision": _rounded(precision[kept]), "recall": _rounded(recall[kept])}


def _spread(along: Floats) -> npt.NDArray[np.intp]:
    """Indices of at most `CURVE_POINTS` points, evenly spread along an ascending coordinate, both ends included."""
    places = np.searchsorted(along, np.linspace(along[0], along[-1], CURVE_POINTS))
    places[-1] = len(along) - 1
    return np.unique(places)


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 5) for value in values]


def _confusion(model: Predictions) -> dict[str, Any]:
    called = model.probabilities >= THRESHOLD
    matrix = [
        [int((of_class & ~called).sum()), int((of_class & called).sum())] for of_class in (~model.labels, model.labels)
    ]
    return {"threshold": THRESHOLD, "matrix": matrix}


def _slices(rows: pa.Table, model: Predictions, columns: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    parts = [(column, name, mask) for column in columns for name, mask in held_out.slices(rows, column)]
    found = areas(model, [mask for _, _, mask in parts])
    slices: dict[str, list[dict[str, Any]]] = {column: [] for column in columns}
    for (column, name, mask), estimate in zip(parts, found, strict=True):
        slices[column].append(_slice(name, model, mask, estimate))
    return slices


def _slice(name: str, model: Predictions, mask: npt.NDArray[np.bool_], estimate: Estimate | None) -> dict[str, Any]:
    positives, count = int(model.labels[mask].sum()), int(mask.sum())
    return {
        "name": name,
        "rows": count,
        "rate": round(positives / count, 6),
        "predicted": round(float(model.probabilities[mask].mean()), 6),
        "roc_auc": estimate.to_json() if estimate else None,
        "small": min(positives, count - positives) < SMALL,
    }


def _write(evaluation: Evaluation) -> Evaluation:
    from seaway.reporting.evaluation_section import evaluation_page

    write_json(evaluation.path / "evaluation.json", evaluation.figures)
    evaluation_page(evaluation.figures).write(evaluation.path / "evaluation.html")
    return evaluation
