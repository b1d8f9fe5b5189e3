"""One check of a model: recent rows against the rows that it was trained on, and its answers against their labels."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable, RegistryUnavailable
from seaway.models import Lineage, ModelRegistry, RegisteredModel, Signature
from seaway.monitoring import training_rows
from seaway.monitoring.drift import DriftReport, DriftSpec
from seaway.monitoring.drift_check import drift
from seaway.monitoring.embeddings import ROWS as EMBEDDED
from seaway.monitoring.export import Sample, of_drift, of_quality
from seaway.monitoring.live_quality import QualityReport, QualitySpec, quality
from seaway.monitoring.sampled import sampled
from seaway.storage import read_json, write_json

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from seaway.tasks import Task
    from seaway.tasks.estimate import Floats

CHECK_FILE = "check.json"


@dataclass(frozen=True)
class Check:
    """What was found of one version."""

    model: str
    version: str
    drift: DriftReport
    quality: QualityReport

    @property
    def samples(self) -> list[Sample]:
        """Its figures, as they are published."""
        return [*of_drift(self.drift), *of_quality(self.quality)]

    @property
    def figures(self) -> dict[str, float]:
        """Its figures by short names, as a step shows them."""
        labelled = self.quality.labelled / self.quality.rows if self.quality.rows else 0.0
        shares = {"drift_alarm": float(self.drift.alarm), "drifted_share": self.drift.share, "labelled_share": labelled}
        return {**{name: figure.value for name, figure in self.quality.figures.items()}, **shares}

    @property
    def summary(self) -> str:
        """One line."""
        return f"{self.drift.summary}; {self.quality.summary}"

    def to_json(self) -> dict[str, Any]:
        """As in `check.json`."""
        model = {"model": self.model, "version": self.version}
        return {**model, "drift": self.drift.to_json(), "quality": self.quality.to_json(), "summary": self.summary}


def check(
    model: RegisteredModel,
    current: Path,
    output: Path,
    place: str,
    *,
    level: float = 0.05,
    effect: float = 0.1,
    share: float = 0.2,
    label: str = "",
    task: str = "",
    margin: float = 0.05,
) -> Check:
    """Compare recent examples with the model's training rows; writes `check.json` and what `drift` does.

    Which columns are numbers and which are categories is told by the model's signature. Of a file that has more rows
    than `sampled.ROWS` so many are looked at, drawn at random.

    Args:
        model: In production.
        current: Examples of late, a Parquet file; a label that is not known yet is null.
        output: A folder, made where it is missing.
        place: URI where training rows are kept, as `$SEAWAY_REFERENCES`.
        level: As in `DriftSpec`.
        effect: As in `DriftSpec`.
        share: As in `DriftSpec`.
        label: Column of the truth; empty takes what the model's signature says.
        task: What is predicted; empty takes what the model's signature says.
        margin: As in `QualitySpec`.

    Raises:
        DataUnreadable: the training rows are not kept, or a column is missing.
    """
    from seaway.evaluation.evaluator import task_of

    lineage, inputs = Lineage.read(model.package), Signature.read(model.package).inputs
    written = [spec.name for spec in inputs if spec.preprocessing]
    texts = [spec.name for spec in inputs if spec.datatype == "BYTES" and spec.name not in written]
    numbers = [spec.name for spec in inputs if spec.datatype != "BYTES"]
    trained = training_rows.find(lineage.data_sha256, place)
    chosen = task_of(model.package, trained, label, task)
    seen = " and ".join(written)
    (before, _), (now, answers) = (_predicted(model, rows, chosen, seen) for rows in (trained, current))
    called = [name for name, values in chosen.watched(answers).items() if values.dtype.kind == "O"]
    predictions = [name for name in chosen.watched(answers) if name not in called]
    embedded = [seen] if seen and before[seen].notna().any() else []
    spec = DriftSpec(
        numbers,
        texts,
        level=level,
        effect=effect,
        share=share,
        predictions=predictions,
        called=called,
        embedded=embedded,
        unwatched=[] if embedded else written,
    )
    known = quality(now, answers, chosen, lineage.metrics, QualitySpec(margin=margin), _now())
    found = Check(model.name, model.version, drift(before, now, spec, output, known), known)
    write_json(output / CHECK_FILE, found.to_json())
    return found


def in_production(registry: ModelRegistry, name: str) -> RegisteredModel:
    """The model to be watched.

    Raises:
        RegistryUnavailable: none is in production.
    """
    if (found := registry.production(name)) is None:
        raise RegistryUnavailable(f"No version of {name} is in production, so none is watched; promote one first.")
    return found


def read_check(folder: Path) -> dict[str, Any]:
    """`check.json` of a folder that `check` wrote. Raises: DataUnreadable."""
    value: dict[str, Any] = read_json(folder / CHECK_FILE)
    return value


def _now() -> "pd.Timestamp":
    import pandas as pd

    return pd.Timestamp(datetime.now(UTC))


def _predicted(model: RegisteredModel, source: Path, task: "Task", seen: str) -> "tuple[pd.DataFrame, Floats]":
    """The rows with what drift looks at of the answers, and the answers.

    Where inputs are pictures or texts, the column `seen` has the embeddings of some rows, None in the others.
    """
    import pyarrow as pa

    from seaway.evaluation.evaluator import predict

    try:
        rows = sampled(source)
    except (OSError, pa.ArrowException) as error:
        raise DataUnreadable(f"{source} cannot be read as Parquet ({error}); write the examples anew.") from error
    answers = predict(model.package, rows, task)
    frame: pd.DataFrame = rows.to_pandas().assign(**task.watched(answers))
    return (frame.assign(**{seen: _embeddings(model, rows)}) if seen else frame), answers


def _embeddings(model: RegisteredModel, rows: "pa.Table") -> "npt.NDArray[Any]":
    import numpy as np

    from seaway.evaluation.evaluator import embeddings

    chosen = np.sort(np.random.default_rng(0).permutation(rows.num_rows)[:EMBEDDED])
    column = np.empty(rows.num_rows, object)
    found = embeddings(model.package, rows.take(chosen))
    for place, vector in zip(chosen, () if found is None else found, strict=found is not None):
        column[place] = vector
    return column
