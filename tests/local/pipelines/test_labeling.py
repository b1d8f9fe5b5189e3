"""The loop of labels on a laptop: a model asks, annotators of known quality answer, its successor is better."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotators import Confusion, always, labelled, right
from places import PROJECT
from pyarrow import parquet
from seaway.labeling import Label
from seaway.labeling.aggregation import SAME
from seaway.platforms.labeling.folder import Folder
from seaway_examples.digits.table import KEY, LABEL, LEVELS, truth

SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]
CLASSES = [str(digit) for digit in range(10)]
CROWD: dict[str, Confusion] = {
    "ann": right(0.95, 10), "bob": right(0.8, 10), "cid": right(0.7, 10), "eve": always(1, 10),
}  # fmt: skip
COUNT = 120
TRAINER = {"numeric": LEVELS, "label": LABEL, "task": "multiclass", "hidden": [32], "learning_rate": 0.02}
PARAMETERS: dict[str, Any] = {
    "source": "seaway_examples.digits.table:labelled",
    "options": {"rows": 300},
    "pool": "seaway_examples.digits.table:unlabelled",
    "pool_options": {"rows": 600},
    "queue": "digits",
    "key": KEY,
    "label": LABEL,
    "classes": CLASSES,
    "shown": LEVELS[:3],
    "numeric": LEVELS,
    "params": {**TRAINER, "batch_size": 32, "epochs": 12, "patience": 12},
    "count": COUNT,
    "random_share": 0.25,
    "votes": 4,
    "timeout_s": 900.0,
    "price": 0.02,
}


def answer(queue: Folder, ended: threading.Event) -> None:
    """Label what is sent, as four people would who see it a moment later."""
    while not (queue.path / "question.json").is_file():
        if ended.wait(0.2):
            return
    known = truth()
    keys = [item.key for item in queue.items()]
    said = labelled([known[key] for key in keys], CLASSES, CROWD)
    for name in CROWD:
        lines = [json.dumps({"key": keys[int(one.key)], "label": one.value}) for one in said if one.annotator == name]
        (queue.path / "labels" / f"{name}.jsonl").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of the run."""
    home = tmp_path_factory.mktemp("labeling") / "home"
    words = [
        word
        for name, value in PARAMETERS.items()
        for word in ("-p", f"{name}={value if isinstance(value, str) else json.dumps(value)}")
    ]
    ended = threading.Event()
    people = threading.Thread(target=answer, args=(Folder(home / "labels" / "digits"), ended))
    people.start()
    command = [*SEAWAY, "run", str(PROJECT / "pipelines" / "labeling" / "pipeline.yaml"), *words]
    done = subprocess.run(
        command, cwd=home.parent, env={**os.environ, "SEAWAY_HOME": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ended.set()
    people.join()
    assert done.returncode == 0, done.stdout + done.stderr
    [record] = (home / "runs").glob("*/run.json")
    found: dict[str, Any] = json.loads(record.read_text())
    return found


def made(run: dict[str, Any], step: str, name: str) -> Path:
    return Path(next(one for one in run["steps"] if step in (one["name"], one["title"]))["outputs"][name]["uri"])


def test_what_a_crowd_of_fair_quality_says_is_nearly_always_right(run: dict[str, Any]) -> None:
    rows = parquet.read_table(made(run, "Aggregate", "aggregated")).to_pylist()
    assert len(rows) == COUNT and {row["votes"] for row in rows} == {4}
    known = truth()
    assert np.mean([row["label"] == known[row["key"]] for row in rows]) > 0.93
    told = json.loads((made(run, "Aggregate", "annotators") / "annotators.json").read_text())
    assert {one["name"]: one["warning"] for one in told["annotators"]} == {"ann": "", "bob": "", "cid": "", "eve": SAME}
    quality = {one["name"]: one["quality"] for one in told["annotators"]}
    assert quality["ann"] > quality["bob"] > quality["eve"]
    assert told["metrics"]["cost"] == pytest.approx(COUNT * 4 * 0.02)


def test_labels_teach_and_the_random_ones_are_kept_for_an_audit(run: dict[str, Any]) -> None:
    before = parquet.read_table(made(run, "Split", "train"))
    train, audit = (parquet.read_table(made(run, "Add labels", name)) for name in ("train", "audit"))
    assert train.schema == audit.schema
    assert before.num_rows < train.num_rows <= before.num_rows + COUNT - COUNT // 4
    assert 0 < audit.num_rows <= COUNT // 4
    assert not set(audit[KEY].to_pylist()) & set(train[KEY].to_pylist())
    new = train.slice(before.num_rows)
    known = truth()
    assert np.mean([row[LABEL] == known[str(row[KEY])] for row in new.select([KEY, LABEL]).to_pylist()]) > 0.93


def test_the_successor_is_held_against_its_parent_on_rows_that_neither_has_seen(run: dict[str, Any]) -> None:
    found = json.loads((made(run, "Evaluate model", "evaluation") / "evaluation.json").read_text())
    losses = {name: one["log_loss"]["value"] for name, one in found["models"].items()}
    assert losses["model"] < losses["production"]
    assert found["gate"]["passed"]
    assert (made(run, "Package model", "package") / "signature.json").is_file()


def test_labels_of_the_file_are_those_of_the_people(run: dict[str, Any]) -> None:
    rows = parquet.read_table(made(run, "Collect", "labels")).to_pylist()
    labels = [Label(row["key"], row["annotator"], row["label"], row["seconds"]) for row in rows]
    assert len(labels) == 4 * COUNT and {one.annotator for one in labels} == set(CROWD)
