"""A project made by `seaway init` goes from a file to a promoted canary, and its bad version is rolled back."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from seaway_examples.continents import table as continents
from seaway_examples.diamonds import table as diamonds
from seaway_examples.digits import pipeline as digits
from seaway_runs import SEAWAY

ROWS = 4_000  # 500 are held out for the canary: what so many show of a model that has hardly learnt
QUIET = ("-p", "latency_margin=0")  # tests share a machine


def customers(random: np.random.Generator) -> pd.DataFrame:
    """A yes and a no, decimal commas, gaps."""
    age, plan = random.integers(18, 80, ROWS), random.choice(["basic", "plus", "pro"], ROWS)
    income = random.normal(3000, 900, ROWS)
    chance = 1 / (1 + np.exp(-((age - 50) / 8 + (plan == "basic") - (plan == "pro"))))
    told = [f"{value:.2f}".replace(".", ",") if value > 1500 else "n/a" for value in income]
    churned = np.where(random.random(ROWS) < chance, "yes", "no")
    return pd.DataFrame(
        {"customer": [f"c{n}" for n in range(ROWS)], "age": age, "income": told, "plan": plan, "out": churned}
    )


def seaway(*words: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The command as a person gives it in a folder, its state in that folder."""
    environment = {name: value for name, value in os.environ.items() if name != "SEAWAY_HOME"}
    done = subprocess.run([str(SEAWAY), *words], cwd=cwd, capture_output=True, text=True, check=False, env=environment)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def customers_file(target: Path) -> None:
    """A CSV with a byte order mark and semicolons."""
    customers(np.random.default_rng(1)).to_csv(target, index=False, sep=";", encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("write", "label", "options", "task"),
    [
        (customers_file, "out", ["--entity", "customer"], "binary"),
        (continents.write, continents.LABEL, [], continents.TASK),
        (diamonds.write, diamonds.LABEL, [], diamonds.TASK),
    ],
    ids=["binary", "multiclass", "regression"],
)
def test_a_file_becomes_a_promoted_canary_and_a_worse_model_is_rolled_back(
    tmp_path: Path, write: Callable[[Path], None], label: str, options: list[str], task: str
) -> None:
    """The examples that begin with a file, and one that is as files are."""
    write(tmp_path / "data.csv")
    words = ("init", "mine", "--from", "data.csv", "--label", label, *options, "--output", "json")
    told, folder = json.loads(seaway(*words, cwd=tmp_path).stdout), tmp_path / "mine"
    assert told["task"] == task
    try:
        run = json.loads(seaway("run", ".", *QUIET, "--output", "json", cwd=folder).stdout)
        rollout = json.loads(next((folder / ".seaway").rglob("rollout.json")).read_text())
        assert rollout["decision"] == "PROMOTE", rollout["reason"]
        assert sum(sum(tick["errors"].values()) for tick in rollout["ticks"]) == 0
        assert run["state"] == "succeeded"
        worsen(folder)
        worse = seaway("run", ".", *QUIET, cwd=folder, check=False)
        assert worse.returncode == 1
        assert "was not promoted (ROLLBACK)" in worse.stdout + worse.stderr
        assert "uality" in worse.stdout + worse.stderr
    finally:
        seaway("down", "--all", cwd=folder, check=False)


DIGITS = Path(digits.__file__).with_name("pipeline.py")
WORSE = {**digits.SIMPLE, "epochs": 1, "learning_rate": 1e-9}


def test_pictures_become_a_promoted_canary_and_a_worse_model_is_rolled_back(tmp_path: Path) -> None:
    """The example of encoded pictures, one pipeline for both."""
    try:
        run = json.loads(seaway("run", str(DIGITS), *QUIET, "--output", "json", cwd=tmp_path).stdout)
        rollout = json.loads(next((tmp_path / ".seaway").rglob("rollout.json")).read_text())
        assert (run["state"], rollout["decision"]) == ("succeeded", "PROMOTE")
        assert sum(sum(tick["errors"].values()) for tick in rollout["ticks"]) == 0
        worse = seaway("run", str(DIGITS), *QUIET, "-p", "gate={}", "-p", f"params={json.dumps(WORSE)}", cwd=tmp_path,
                       check=False)  # fmt: skip
        assert worse.returncode == 1
        assert "was not promoted (ROLLBACK)" in worse.stdout + worse.stderr
    finally:
        seaway("down", "--all", cwd=tmp_path, check=False)


def worsen(folder: Path) -> None:
    """The next network hardly learns, and no gate stops it."""
    pipeline = folder / "pipeline.py"
    text = re.sub(r"(DEEP = .*?)0\.003(.*?)\"epochs\": 40", r'\g<1>1e-07\g<2>"epochs": 1', pipeline.read_text())
    pipeline.write_text(re.sub(r"GATE = \{.*?\}", "GATE = {}", text))
