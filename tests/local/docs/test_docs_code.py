"""The Python code of the documents runs as it stands there: a page's blocks one after the other, in one namespace.

What needs a cluster or an endpoint says so in its first line; tests/golden/test_docs_code.py checks it by its types.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import edge_models
import pandas as pd
import pytest
from documents import NOT_RUN, PAGES, ROOT, Block, blocks
from object_store import object_store
from seaway import platforms
from seaway.training import Trainer, TrainSpec
from wheel_environments import UV

JAX = ("jax==0.10.2", "jaxlib==0.10.2", "opt-einsum==3.4.0")
FRAGMENTS = {"docs/how-to/tune.md"}  # a part of a pipeline, which tests/golden/test_docs_code.py puts into one
FILE = re.compile(r"# ([\w-]+\.py)\n")  # the first line of a block that is a file of the reader's
GENERATED = ("components/", "docs/components/")  # examples of one call each, which the same file checks


def runnable(page: Path) -> list[Block]:
    name = page.relative_to(ROOT).as_posix()
    if name in FRAGMENTS or name.startswith(GENERATED):
        return []
    return [block for block in blocks(page, "python") if not block.text.startswith(NOT_RUN)]


PROGRAMS = {page.relative_to(ROOT).as_posix(): found for page in PAGES if (found := runnable(page))}


@contextmanager
def a_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The bucket `my-bucket`, and the folder that is put there."""
    Path("model").mkdir()
    Path("model", "metrics.json").write_text("{}")
    with object_store(Path("store").absolute()) as store:
        store.client().make_bucket("my-bucket")
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        yield {}


@contextmanager
def a_trained_model(_: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The folder `trained`, of a model that takes a shop and a distance, and its rows."""
    platforms.current(Trainer).train(a_training(Path("trained"), epochs=1, hidden=[]))
    yield {}


@contextmanager
def a_training_to_tune(_: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    yield {"training": a_training(Path("unused"), epochs=3, hidden=[4])}


def a_training(output: Path, **params: Any) -> TrainSpec:
    rows = pd.DataFrame(
        {"shop": ["north", "south"] * 300, "distance": [100.0, 2400.0, 700.0] * 200, "returned": [0, 1] * 300}
    )
    rows.to_parquet("train.parquet")
    columns = {"numeric": ["distance"], "categorical": ["shop"], "label": "returned"}
    return TrainSpec(
        Path("train.parquet"), Path("train.parquet"), output, Path("checkpoints"), params={**columns, **params}
    )


@contextmanager
def a_model_for_devices(_: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The folder `package`, of a model that looks a text up."""
    edge_models.tabular_model(Path("package"))
    for name, seed in (("train", 0), ("test", 1)):
        edge_models.table(100, seed).to_parquet(f"{name}.parquet")
    yield {}


@contextmanager
def keras_on_torch(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """As `train_keras` has it."""
    patch.setenv("KERAS_BACKEND", "torch")
    yield {}


@contextmanager
def jax_beside_seaway(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What JAX has beyond Seaway's own packages, in a folder of this test's; it needs a package index."""
    asked = [UV, "pip", "install", "--quiet", "--target", "beside", "--no-deps", "--python", sys.executable, *JAX]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"JAX cannot be installed for this test: {done.stderr.strip()[-300:]}")
    patch.syspath_prepend(str(Path("beside").absolute()))
    yield {}


BEFORE = {
    "docs/how-to/take-a-model-to-the-edge.md": a_model_for_devices,
    "docs/how-to/train-with-jax.md": jax_beside_seaway,
    "docs/reference/model-package.md": a_trained_model,
    "docs/reference/storage.md": a_bucket,
    "docs/reference/training.md": keras_on_torch,
    "docs/reference/tuning.md": a_training_to_tune,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_code_of_a_page_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    around: AbstractContextManager[dict[str, Any]] = BEFORE[name](monkeypatch) if name in BEFORE else nullcontext({})
    with around as namespace:
        for block in PROGRAMS[name]:
            if named := FILE.match(block.text):
                Path(named[1]).write_text(block.text)
                continue
            lines = "\n" * (block.line - 1)  # so that a traceback tells the page's own
            exec(compile(lines + block.text, str(block.page), "exec"), namespace)  # noqa: S102  # the documents' own
