"""A project made by `seaway init` goes from a file to a promoted canary, and its bad version is rolled back."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
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


def flowers(random: np.random.Generator) -> pd.DataFrame:
    x = random.normal(size=(ROWS, 3))
    species = np.array(["setosa", "versicolor", "virginica"])[(x + random.gumbel(size=x.shape) * 0.4).argmax(axis=1)]
    return pd.DataFrame(x, columns=["sepal length", "sepal width", "petal length"]).assign(out=species)


def diamonds(random: np.random.Generator) -> pd.DataFrame:
    carat, cut = random.lognormal(-0.4, 0.5, ROWS), random.choice(["Fair", "Good", "Ideal"], ROWS)
    price = 3000 * carat**1.6 * (1 + 0.2 * (cut == "Ideal")) * np.exp(random.normal(0, 0.1, ROWS))
    return pd.DataFrame({"carat": carat, "cut": cut, "out": np.round(price, 2)})


def seaway(*words: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The command as a person gives it in a folder, its state in that folder."""
    environment = {name: value for name, value in os.environ.items() if name != "SEAWAY_HOME"}
    done = subprocess.run([str(SEAWAY), *words], cwd=cwd, capture_output=True, text=True, check=False, env=environment)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def project(folder: Path, table: pd.DataFrame, *options: str) -> tuple[Path, dict[str, Any]]:
    """A project out of a CSV with a byte order mark and semicolons."""
    table.to_csv(folder / "data.csv", index=False, sep=";", encoding="utf-8-sig")
    made = seaway("init", "mine", "--from", "data.csv", "--label", "out", *options, "--output", "json", cwd=folder)
    return folder / "mine", json.loads(made.stdout)


@pytest.mark.parametrize(
    ("table", "options", "task"),
    [
        (customers, ["--entity", "customer"], "binary"),
        (flowers, [], "multiclass"),
        (diamonds, [], "regression"),
    ],
    ids=["binary", "multiclass", "regression"],
)
def test_a_file_becomes_a_promoted_canary_and_a_worse_model_is_rolled_back(
    tmp_path: Path, table: Any, options: list[str], task: str
) -> None:
    folder, told = project(tmp_path, table(np.random.default_rng(1)), *options)
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


def worsen(folder: Path) -> None:
    """The next network hardly learns, and no gate stops it."""
    pipeline = folder / "pipeline.py"
    text = re.sub(r"(DEEP = .*?)0\.003(.*?)\"epochs\": 40", r'\g<1>1e-07\g<2>"epochs": 1', pipeline.read_text())
    pipeline.write_text(re.sub(r"GATE = \{.*?\}", "GATE = {}", text))
