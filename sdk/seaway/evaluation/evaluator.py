"""The evaluation of a model: its figures, its baselines, its slices, its gate, and the page that shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from seaway import tasks
from seaway.data.augmentation.siblings import refuse_siblings
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.evaluation import rows as held_out
from seaway.evaluation.gate import Gate, summary
from seaway.features.project import EVENT_TIME
from seaway.models.comparison import same_graph
from seaway.models.registry import HISTORY_FILE, history
from seaway.models.signature import EMBEDDING, Signature
from seaway.storage import write_json
from seaway.tasks import Estimate, Task, estimates
from seaway.tasks.estimate import rounded

if TYPE_CHECKING:
    from seaway.models.loaded import LoadedModel

MODEL = "model"
PRODUCTION = "production"
AT_ONCE = 256  # rows of pictures or texts

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]


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
    def roc(self) -> tuple[list[float], list[float], list[float]] | None:
        """False positive rates, true positive rates, thresholds; at most 100 points; None where there are none."""
        curve = self.figures.get("roc", {}).get(MODEL)
        return curve and (curve["false_positive_rate"], curve["true_positive_rate"], curve["threshold"])

    @property
    def confusion(self) -> tuple[list[str], list[list[int]]] | None:
        """Names of the classes, and rows by observed and predicted class; None where there are no classes."""
        found = self.figures.get("confusion")
        return found and (found["classes"], found["matrix"])

    @property
    def summary(self) -> str:
        """One line: the figure that matters, its interval, the gate."""
        primary = self.figures["task"]["metrics"][0]
        found = self.figures["models"][MODEL][primary["name"]]
        state = "open" if self.passed else "closed"
        return f"{primary['title']} {found['value']:.4g} ({found['low']:.4g} to {found['high']:.4g}), gate {state}"


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
    task: str,
    group: str,
) -> Evaluation:
    """Compare a model with its baselines on held-out rows; write `evaluation.json` and `evaluation.html`.

    Args:
        model: Folder of the exported model.
        test: Parquet file of held-out rows, with the label and every input of every model.
        train: Parquet file of training rows; gives the simplest baseline.
        output: Folder to write into.
        baselines: Folders of other exported models, by name.
        production: Folder of the model in production; None where there is none yet. Where a baseline is that model,
            it is measured once, as `production`, and `aliases` in the figures says so.
        gate: Rules that decide `Evaluation.passed`; a closed gate is a result, not an error.
        slices: Columns to break the first figure down by; month, weekday and hour come from `event_timestamp`.
        label: Column that is predicted; empty takes what the model's signature says.
        task: What it means to predict it; empty takes what the model's signature says.
        group: Column whose historic rate, or mean, is the simplest baseline, named `<group>_rate` or `<group>_mean`;
            empty takes that of all rows, named `rate` or `mean`.

    Raises:
        DataUnreadable: missing file, column or class, held-out rows that are augmented copies or have some, or a model
            that answers something else than the task asks.
        InvalidSpec: the gate compares with a model or asks for a figure that is not there, a slice column does not
            exist, or nobody says what the model predicts.
    """
    refuse_siblings(train, test)
    others = {**baselines, **({PRODUCTION: production} if production else {})}
    wanted = {spec.name for folder in (model, *others.values()) for spec in Signature.read(folder).inputs}
    chosen = task_of(model, train, label, task)
    naive = f"{group}_{chosen.naive_name}" if group else chosen.naive_name
    gate.require(chosen, {naive, *others})
    rows = held_out.read(test, chosen.target.label, {*wanted, *slices, group, EVENT_TIME})
    past = held_out.read(train, chosen.target.label, {group})
    labels, known = (chosen.labels(held_out.column(*each), where) for each, where in _labelled(chosen, rows, past))
    if why := chosen.measurable(labels):
        raise DataUnreadable(f"A model cannot be measured on {test}: {why}.")
    aliases = {name: PRODUCTION for name in baselines if production and same_graph(baselines[name], production)}
    measured = {MODEL: model} | {name: folder for name, folder in others.items() if name not in aliases}
    answers = {name: predict(folder, rows, chosen) for name, folder in measured.items()}
    answers[naive] = chosen.naive(known, *_groups(past, rows, group))
    figures = measure(rows, answers, slices, chosen, labels)
    figures["aliases"] = aliases
    figures["notes"] = [f"The model in production is the {_words(name)}; it is shown once." for name in aliases]
    if production and same_graph(model, production):
        figures["notes"].append("This model is the one in production: there is nothing new to compare.")
    figures["gate"] = summary(gate.check(figures))
    figures["trainings"] = {
        name: history(folder / HISTORY_FILE)
        for name, folder in {MODEL: model, **baselines}.items()
        if (folder / HISTORY_FILE).exists()
    }
    return _write(Evaluation(output, figures))


def task_of(model: Path, train: Path, label: str = "", task: str = "") -> Task:
    """The task of a model: what its signature says, or the arguments where given; the training rows tell the rest.

    Raises:
        InvalidSpec: neither says what is predicted, or there is no such task.
        DataUnreadable: the labels are none of it.
    """
    target = Signature.read(model).target
    if target is None or (label or target.label) != target.label or (task or target.task) != target.task:
        if not (label and task):
            raise InvalidSpec(
                f"The signature of {model} does not say what the model predicts; give label and task, or write a "
                "target into the signature (docs/reference/tasks.md)."
            )
        target = tasks.Target(task, label)
    values = held_out.column(held_out.read(train, target.label, ()), target.label)
    return tasks.of(tasks.learnt(target, values, str(train)))


def _labelled(task: Task, rows: pa.Table, past: pa.Table) -> list[tuple[tuple[pa.Table, str], str]]:
    label = task.target.label
    return [((rows, label), "The test rows"), ((past, label), "The training rows")]


def _groups(past: pa.Table, rows: pa.Table, group: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    if group:
        return held_out.groups(past, rows, group)
    return np.zeros(past.num_rows, np.intp), np.zeros(rows.num_rows, np.intp)


def _words(name: str) -> str:
    return name.replace("_", " ")


def predict(folder: Path, rows: pa.Table, task: Task | None = None) -> Floats:
    """What a model answers each row, in the task's form.

    A model that says what it predicts is read as it says: its classes may be in another order than the task's, and are
    brought into that.

    Raises:
        DataUnreadable: the rows lack an input, or an answer is none of the task.
        InvalidSpec: nobody says what the model predicts, or it predicts something else.
    """
    from seaway.models.loaded import load

    names = [spec.name for spec in Signature.read(folder).inputs]
    if missing := [name for name in names if name not in rows.column_names]:
        raise DataUnreadable(f"The model in {folder} takes {', '.join(missing)}, which the test rows lack.")
    model = load(folder)
    own = tasks.of(model.signature.target) if model.signature.target else task
    if own is None:
        raise InvalidSpec(f"Neither the signature of {folder} nor the step says what the model predicts.")
    output = model.signature.prediction
    answers = own.answers(_outputs(model, rows)[output])
    if wrong := int(np.isnan(answers.reshape(len(answers), -1)).any(axis=1).sum()):
        raise DataUnreadable(
            f"The model in {folder} answers {wrong} of {rows.num_rows} rows with a {output} that is no answer of the "
            f"task {own.target.task}: {own.legal}."
        )
    return answers if task is None else own.beside(task).in_order_of(task, answers)


def embeddings(folder: Path, rows: pa.Table) -> Floats | None:
    """What a model makes of pictures and texts before it answers, [rows, size]; None where it does not say.

    Raises:
        DataUnreadable: the rows lack an input.
    """
    from seaway.models.loaded import load

    signature = Signature.read(folder)
    if EMBEDDING not in [spec.name for spec in signature.outputs]:
        return None
    if missing := [spec.name for spec in signature.inputs if spec.name not in rows.column_names]:
        raise DataUnreadable(f"The model in {folder} takes {', '.join(missing)}, which the rows lack.")
    return np.asarray(_outputs(load(folder), rows)[EMBEDDING], np.float64)


def _outputs(model: "LoadedModel", rows: pa.Table) -> dict[str, npt.NDArray[Any]]:
    """All outputs of all rows; pictures and texts part by part, since their tensors are large."""
    inputs = model.signature.inputs
    size = AT_ONCE if any(spec.preprocessing for spec in inputs) else max(1, rows.num_rows)
    parts = [rows.slice(start, size) for start in range(0, rows.num_rows, size)]
    answered = [model.predict({spec.name: held_out.column(part, spec.name) for spec in inputs}) for part in parts]
    return {spec.name: np.concatenate([each[spec.name] for each in answered]) for spec in model.signature.outputs}


def measure(
    rows: pa.Table, answers: Mapping[str, Floats], slices: Sequence[str], task: Task, labels: Labels
) -> dict[str, Any]:
    """Everything in `evaluation.json` but aliases, notes and gate.

    `answers` holds those of `model` and of others, in the task's form, as `labels` are.
    """
    models = {name: task.measured(values, labels) for name, values in answers.items()}
    figures, differences = estimates(models, MODEL)
    primary = task.primary
    return {
        "label": task.target.label,
        "task": {"name": task.target.task, "metrics": [metric.to_json() for metric in task.metrics]},
        "rows": rows.num_rows,
        **task.facts(labels),
        "period": _period(rows),
        "metrics": {name: rounded(estimate.value) for name, estimate in figures[MODEL].items()},
        "models": _json(figures),
        "differences": _json(differences),
        "comparisons": [
            compare(name, difference[primary.name], primary.title, primary.higher)
            for name, difference in differences.items()
        ],
        **task.curves(models, MODEL, labels),
        "slices": _slices(rows, answers[MODEL], slices, task, labels),
    }


def compare(other: str, difference: Estimate, title: str, higher: bool) -> str:
    """A sentence that claims no more than the interval of a difference in a figure allows."""
    name = _words(other)
    span = f"95 % interval {difference.low:+.4g} to {difference.high:+.4g}"
    better = (difference.low > 0) if higher else (difference.high < 0)
    worse = (difference.high < 0) if higher else (difference.low > 0)
    if better:
        return f"The model beats {name} by {abs(difference.value):.4g} in {title} ({span})."
    if worse:
        return f"The model is worse than {name} by {abs(difference.value):.4g} in {title} ({span})."
    return f"The model does not beat {name}: the difference in {title} is {difference.value:+.4g} ({span})."


def _json(figures: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, dict[str, float]]]:
    return {name: {key: value.to_json() for key, value in parts.items()} for name, parts in figures.items()}


def _period(rows: pa.Table) -> list[str]:
    if EVENT_TIME not in rows.column_names:
        return []
    ends = compute.min_max(held_out.moments(rows))
    return [compute.strftime(ends[end], "%Y-%m-%d").as_py() for end in ("min", "max")]


def _slices(
    rows: pa.Table, answers: Floats, columns: Sequence[str], task: Task, labels: Labels
) -> dict[str, list[dict[str, Any]]]:
    slices: dict[str, list[dict[str, Any]]] = {column: [] for column in columns}
    for column in columns:
        for name, mask in held_out.slices(rows, column):
            slices[column].append(_slice(name, answers[mask], labels[mask], task))
    return slices


def _slice(name: str, answers: Floats, labels: Labels, task: Task) -> dict[str, Any]:
    estimate = task.figure(answers, labels)
    return {
        "name": name,
        "rows": len(labels),
        **task.slice_facts(answers, labels),
        task.primary.name: estimate.to_json() if estimate else None,
        "small": task.small(labels),
    }


def _write(evaluation: Evaluation) -> Evaluation:
    from seaway.reporting.evaluation_section import evaluation_page

    write_json(evaluation.path / "evaluation.json", evaluation.figures)
    evaluation_page(evaluation.figures).write(evaluation.path / "evaluation.html")
    return evaluation
