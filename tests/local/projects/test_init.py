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
from PIL import Image
from seaway_examples.continents import table as continents
from seaway_examples.diamonds import table as diamonds
from seaway_examples.digits import folder as digits
from seaway_examples.reviews import texts as reviews
from seaway_runs import SEAWAY

ROWS = 4_000  # 500 are held out for the canary: what so many show of a model that has hardly learnt
QUIET = ("-p", "latency_margin=0")  # tests share a machine


def customers(random: np.random.Generator) -> pd.DataFrame:
    """A yes and a no that numbers, a category and a text tell of; decimal commas, gaps."""
    age, plan = random.integers(18, 80, ROWS), random.choice(["basic", "plus", "pro"], ROWS)
    income = random.normal(3000, 900, ROWS)
    mood = random.choice(["glad of it", "sick of it"], ROWS)
    said = [f"in letter {n} the customer says to be {each}" for n, each in enumerate(mood)]
    angry = 3.0 * (mood == "sick of it") - 1.5
    chance = 1 / (1 + np.exp(-((age - 50) / 8 + (plan == "basic") - (plan == "pro") + angry)))
    told = [f"{value:.2f}".replace(".", ",") if value > 1500 else "n/a" for value in income]
    churned = np.where(random.random(ROWS) < chance, "yes", "no")
    names = [f"c{n}" for n in range(ROWS)]
    return pd.DataFrame({"customer": names, "age": age, "income": told, "plan": plan, "said": said, "out": churned})


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
    ("write", "options", "task"),
    [
        (customers_file, ["--from", "data", "--label", "out", "--entity", "customer"], "binary"),
        (continents.write, ["--from", "data", "--label", continents.LABEL], continents.TASK),
        (diamonds.write, ["--from", "data", "--label", diamonds.LABEL], diamonds.TASK),
        (digits.write, ["--images", "data"], digits.TASK),
        (reviews.write, ["--from", "data", "--label", reviews.LABEL, "--text", reviews.TEXT], reviews.TASK),
    ],
    ids=["binary.csv", "multiclass.csv", "regression.csv", "images", "texts.jsonl"],
)
def test_data_become_a_promoted_canary_that_is_watched_and_a_worse_model_is_rolled_back(
    tmp_path: Path, request: pytest.FixtureRequest, write: Callable[[Path], None], options: list[str], task: str
) -> None:
    """The examples that begin with a file or a folder, and a file that is as files are: a text beside its columns."""
    kind = request.node.callspec.id
    data = tmp_path / f"data{Path(kind).suffix}"
    write(data)
    given = [data.name if word == "data" else word for word in options]
    told = json.loads(seaway("init", "mine", *given, "--output", "json", cwd=tmp_path).stdout)
    folder = tmp_path / "mine"
    assert told["task"] == task
    try:
        run = json.loads(seaway("run", ".", *QUIET, "--output", "json", cwd=folder).stdout)
        rollout = json.loads(next((folder / ".seaway").rglob("rollout.json")).read_text())
        assert rollout["decision"] == "PROMOTE", rollout["reason"]
        assert sum(sum(tick["errors"].values()) for tick in rollout["ticks"]) == 0
        assert run["state"] == "succeeded"
        for change, alarm in WATCHED.get(kind, WATCHED.get(data.suffix, {})).items():
            assert watched(folder, change(data)) == alarm
        worsen(folder)
        worse = seaway("run", ".", *QUIET, cwd=folder, check=False)
        assert worse.returncode == 1
        assert "was not promoted (ROLLBACK)" in worse.stdout + worse.stderr
        assert "uality" in worse.stdout + worse.stderr
    finally:
        seaway("down", "--all", cwd=folder, check=False)


def watched(folder: Path, options: dict[str, str]) -> bool:
    """Whether the project's second pipeline, given other data, finds that they have drifted."""
    seaway("run", "monitoring.py", "-p", f"options={json.dumps(options)}", "--no-cache", cwd=folder)
    checks = sorted((folder / ".seaway").rglob("check.json"), key=lambda file: file.stat().st_mtime)
    return bool(json.loads(checks[-1].read_text())["drift"]["alarm"])


def same(data: Path) -> dict[str, str]:
    return {}


def turned(data: Path) -> dict[str, str]:
    """Other pictures: each lies on its side, as after a camera was mounted anew."""
    other = data.with_name("turned")
    for file in data.rglob("*.png"):
        target = other / file.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as picture:
            picture.transpose(Image.Transpose.ROTATE_90).save(target)
    return {"folder": str(other)}


def of_another_shop(data: Path) -> dict[str, str]:
    """Other texts, in which a frequent word has another before it."""
    other = data.with_name("other.jsonl")
    other.write_text(data.read_text().replace(" is ", " is not at all "))
    return {"path": str(other)}


def without_labels(data: Path) -> dict[str, str]:
    """Rows as they are before anybody knows how they end: no column of the label."""
    other = data.with_name("recent.csv")
    pd.read_csv(data, sep=None, engine="python", dtype=str).drop(columns="out").to_csv(other, index=False)
    return {"path": str(other)}


WATCHED = {
    "": {same: False, turned: True},
    ".jsonl": {same: False, of_another_shop: True},
    "binary.csv": {without_labels: False},
}


def worsen(folder: Path) -> None:
    """The next network hardly learns, and no gate stops it."""
    pipeline = folder / "pipeline.py"
    slow = re.sub(r'(DEEP = .*?"learning_rate": )[0-9.]+', r"\g<1>1e-09", pipeline.read_text())
    once = re.sub(r'(DEEP = .*?"epochs": )\d+', r"\g<1>1", slow)
    pipeline.write_text(re.sub(r"GATE = \{.*?\}", "GATE = {}", once))
