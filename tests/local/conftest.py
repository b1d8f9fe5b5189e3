"""What several files of tests share, and in which order they begin: a model in production costs half a minute."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import seaway_runs
import slurm_cluster
from places import LOCAL_PROGRAMS

LONGEST = (  # the longest first, lest one of them begin when all the others have ended
    "projects/test_init", "monitoring/test_skew", "monitoring/test_loop", "training/test_slurm", "tuning/test_tuning",
    "training/test_keras_in_a_pipeline",
    "training/test_pods",
    "training/test_training", "pipelines/test_flights", "rollout/test_rollout", "cli/test_cli_guides",
    "monitoring/test_drift", "models/test_registry", "training/test_torchrun", "serving/test_endpoint", "kfp/test_run",
    "training/test_fsdp", "cli/test_cli_serve", "platforms/test_backends", "kfp/test_forking",
    "features/test_feast_import", "monitoring/test_prometheus_metrics",
)  # fmt: skip
TOGETHER = {"monitoring/test_loop": "monitoring/test_skew"}  # on one worker, which makes `january` once
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(_name(item.path), len(ranks)))


def _name(file: Path) -> str:
    return file.relative_to(HERE).with_suffix("").as_posix() if file.is_relative_to(HERE) else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files in the order above, where xdist is to distribute files."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            name = _name(config.rootpath / file)
            return file.replace(name, TOGETHER.get(name, name)) if name else file

    config.option.loadscopereorder = False
    return Files(config, log)


@pytest.fixture(scope="session")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder whose production model has learned from January; as a first run's baseline it passes no gate."""
    home = tmp_path_factory.mktemp("home")
    done = seaway_runs.run(home, "flights", "months=1", *seaway_runs.QUICK)
    assert "GateClosed" in done.stdout + done.stderr
    return home


@pytest.fixture(scope="module")
def shared_slurm() -> Iterator[slurm_cluster.SlurmCluster]:
    """A real one; the test skips where its programs are missing."""
    if missing := slurm_cluster.missing():
        pytest.skip(f"not on PATH: {', '.join(missing)} (Debian: slurm-wlm and munge)")
    with slurm_cluster.running() as cluster:
        yield cluster


@pytest.fixture
def slurm(
    shared_slurm: slurm_cluster.SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> slurm_cluster.SlurmCluster:
    """The cluster that this process submits to, as a run of its own, whose trainers are the tests' too."""
    monkeypatch.setenv("SLURM_CONF", str(shared_slurm.conf))
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEAWAY_RUN_ID", tmp_path.name)
    monkeypatch.syspath_prepend(str(LOCAL_PROGRAMS))
    return shared_slurm
