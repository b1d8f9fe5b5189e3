"""The registry on a real MLflow store, and the components that use it."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kfp import dsl
from seaway import models, platforms
from seaway.errors import InvalidSpec, PackageRefused, RegistryUnavailable
from seaway.models.flavours.torch_export import ExportedModel
from seaway.platforms import mlflow
from seaway.platforms.home import home
from seaway.platforms.mlflow import WEIGHTS_TAG, MlflowRegistry
from seaway_components.models.get_production_model.component import get_production_model
from seaway_components.models.package_model.component import package_model
from seaway_components.models.promote_model.component import promote_model
from seaway_components.models.register_model.component import register_model

HISTORY = [{"epoch": epoch, "loss": 1 / (epoch + 1), "validation_loss": 0.6} for epoch in range(3)]
METRICS = {"auc": 0.71, "loss": 0.33}


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One state folder for the module: a store is made once, each test takes a model name of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAWAY_HOME", str(tmp_path_factory.mktemp("home") / "a b%20'é#$?x"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield home()


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("data") / "train.parquet"
    values = np.random.default_rng(0)
    columns = {
        "carrier": values.choice(["UA", "AA"], 64),
        "distance": values.random(64),
        "late": values.integers(0, 2, 64),
    }
    pq.write_table(pa.table(columns), target)
    return target


@pytest.fixture(scope="module")
def trained(train: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model, written by the trainer's own export."""
    from seaway.training.loop.rows import learn_task
    from seaway.training.tabular.data import read_examples, sample_rows
    from seaway.training.tabular.export import signature, write_model
    from seaway.training.tabular.network import TabularModel, TabularNetwork
    from seaway.training.tabular.params import TabularParams
    from seaway.training.tabular.preprocessing import Preprocessing

    folder = tmp_path_factory.mktemp("trained")
    params = TabularParams(numeric=("distance",), categorical=("carrier",), label="late", name="delays", hidden=(4,))
    task = learn_task(train, params)
    preprocessing = Preprocessing(read_examples(train, params, task))
    model = TabularModel(preprocessing, TabularNetwork(preprocessing.vocabularies.sizes, params, task.width), task)
    write_model(model, signature(params, task, sample_rows(train, params, 3)), folder)
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    (folder / "history.jsonl").write_text("\n".join(json.dumps(row) for row in HISTORY) + "\n")
    return folder


def make_package(trained: Path, train: Path, output: Path, seed: int) -> Path:
    lineage = models.trace(trained, train, {"hidden": [4]}, seed=seed)
    return models.package(trained, output, lineage, models.signing_keys(home() / "keys").private).path


@pytest.fixture
def package(trained: Path, train: Path, tmp_path: Path) -> Path:
    return make_package(trained, train, tmp_path / "package", seed=1)


def test_curves_and_figures_of_a_training_are_in_the_store_once() -> None:
    run = MlflowRegistry().log_training("delays", {"epochs": 3}, METRICS, HISTORY, "0" * 64)
    assert MlflowRegistry().log_training("delays", {"epochs": 3}, METRICS, HISTORY, "0" * 64) == run
    assert MlflowRegistry().log_training("delays", {"epochs": 3}, METRICS, HISTORY, "1" * 64) != run
    client = MlflowRegistry()._client
    data = client.get_run(run).data
    assert data.params == {"epochs": "3"}
    assert data.metrics["auc"] == METRICS["auc"]
    curve = client.get_metric_history(run, "curve/loss")
    assert [(point.step, point.value) for point in curve] == [(row["epoch"], row["loss"]) for row in HISTORY]


def test_what_a_run_tracks_stands_below_the_run_that_kubeflow_s_plugin_has_opened(
    package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = MlflowRegistry()._client
    experiment = client.create_experiment("of Kubeflow Pipelines", artifact_location=(tmp_path / "files").as_uri())
    opened = client.create_run(experiment, run_name="a run of Kubeflow Pipelines").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", opened)
    joining = MlflowRegistry()
    trained = joining.log_training("joined", {}, METRICS, HISTORY, "joined")
    version = joining.register("joined", package)
    for run in (trained, client.get_model_version("joined", version).run_id):
        found = client.get_run(run)
        assert (found.info.experiment_id, found.data.tags["mlflow.parentRunId"]) == (experiment, opened)
    assert client.get_run(opened).info.status == "RUNNING"  # its plugin's to end
    assert MlflowRegistry().log_training("joined", {}, METRICS, HISTORY, "joined") == trained


def test_a_run_of_another_mlflow_is_told_and_joined_by_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0123456789abcdef0123456789abcdef")
    registry = MlflowRegistry()
    found = registry._client.get_run(registry.log_training("alone", {}, METRICS, HISTORY, "alone"))
    assert "mlflow.parentRunId" not in found.data.tags
    assert "MLFLOW_RUN_ID=0123456789abcdef0123456789abcdef is no run" in caplog.text


def test_a_record_whose_writer_died_is_written_anew() -> None:
    tracker, dead = MlflowRegistry(), "2" * 64
    with tracker.session() as client:
        half = client.create_run(tracker._experiment, run_name="half", tags={WEIGHTS_TAG: dead}).info.run_id
    run = tracker.log_training("half", {}, METRICS, HISTORY, dead)
    assert run != half
    assert tracker.log_training("half", {}, METRICS, HISTORY, dead) == run


def test_the_first_model_becomes_production_and_a_promoted_one_replaces_it(
    trained: Path, train: Path, package: Path, tmp_path: Path
) -> None:
    tracker = MlflowRegistry()
    assert tracker.production("delays") is None
    first = models.production_or_first(tracker, "delays", package)
    assert first.version == "1"
    better = make_package(trained, train, tmp_path / "better", seed=2)
    assert tracker.register("delays", better) == "2"
    assert models.production_or_first(tracker, "delays", package).version == "1"
    tracker.promote("delays", "2")
    current = tracker.production("delays")
    assert current is not None
    assert current.version == "2"
    assert models.Lineage.read(current.package).seed == 2
    assert [(one.version, one.production) for one in tracker.versions("delays")] == [("2", True), ("1", False)]


def test_the_kept_copy_of_production_is_left_to_its_readers_and_mended_when_damaged(package: Path) -> None:
    tracker = MlflowRegistry()
    kept = models.production_or_first(tracker, "kept", package).package
    folder = kept.stat().st_ino
    assert models.production_or_first(tracker, "kept", package).package.stat().st_ino == folder
    (kept / "lineage.json").write_text("{}")
    models.production_or_first(tracker, "kept", package)
    models.verify(kept, models.verifying_key(home() / "keys"))


def test_the_fetched_model_answers_as_the_trained_one(trained: Path, package: Path) -> None:
    found = models.production_or_first(MlflowRegistry(), "answers", package)
    sample = ExportedModel.load(trained).signature.sample
    np.testing.assert_array_equal(
        ExportedModel.load(found.package).predict(sample)["probability"],
        ExportedModel.load(trained).predict(sample)["probability"],
    )


def test_one_package_registered_twice_is_one_version_with_its_lineage(package: Path, tmp_path: Path) -> None:
    tracker = MlflowRegistry()
    copy = Path(shutil.copytree(package, tmp_path / "copy"))
    assert tracker.register("twice", package) == tracker.register("twice", copy) == "1"
    tags = tracker.versions("twice")[0].tags
    assert tags["data_sha256"] == models.Lineage.read(package).data_sha256
    assert tags["metric.auc"] == "0.71"
    assert tags["param.hidden"] == "[4]"


def test_the_model_in_production_gets_no_second_version_for_another_lineage(
    trained: Path, train: Path, package: Path, tmp_path: Path
) -> None:
    tracker = MlflowRegistry()
    first = models.register_new(tracker, "again", package)
    repacked = make_package(trained, train, tmp_path / "repacked", seed=2)
    assert models.register_new(tracker, "again", repacked) == "2"
    tracker.promote("again", first)
    assert models.register_new(tracker, "again", make_package(trained, train, tmp_path / "third", seed=3)) == first


@pytest.mark.parametrize("name", ["O'Brien's", 'say "hi"', "50 % off", "größe 日本", "a#b?c", "%27"])
def test_a_model_may_have_an_odd_name(package: Path, name: str) -> None:
    version = MlflowRegistry().register(name, package)
    assert MlflowRegistry().register(name, package) == version
    MlflowRegistry().promote(name, version)
    assert [one.version for one in MlflowRegistry().versions(name)] == [version]
    in_charge = MlflowRegistry().production(name)
    assert in_charge
    assert in_charge.version == version


@pytest.mark.parametrize(
    "name", ["", " a", "a/b", "..", "a:b", "a\\b", "a\tb", "x" * 201, "both ' and \"", None, 3, b"a"]
)
def test_a_name_that_a_model_cannot_have_is_refused_and_nothing_is_made(package: Path, name: Any) -> None:
    registry = MlflowRegistry()
    for use in (
        lambda: registry.register(name, package),
        lambda: registry.production(name),
        lambda: registry.promote(name, "1"),
        lambda: registry.versions(name),
    ):
        with pytest.raises(InvalidSpec, match="A model cannot be called"):
            use()


def test_a_corrupted_package_is_not_registered(package: Path) -> None:
    (package / "lineage.json").write_text((package / "lineage.json").read_text().replace("0.71", "0.99"))
    with pytest.raises(PackageRefused, match=r"lineage\.json"):
        MlflowRegistry().register("corrupted", package)
    assert MlflowRegistry().versions("corrupted") == []


def test_a_package_changed_inside_the_store_does_not_come_out_of_it(state: Path, package: Path) -> None:
    tracker = MlflowRegistry()
    kept = models.production_or_first(tracker, "changed", package).package
    shutil.rmtree(kept)  # as on a machine that has not fetched it yet
    wanted = models.Lineage.read(package).created
    stored = [file for file in (state / "mlflow" / "artifacts").rglob("lineage.json") if wanted in file.read_text()]
    assert stored
    for file in stored:
        file.write_text(file.read_text().replace("0.71", "0.99"))
    with pytest.raises(PackageRefused):
        tracker.production("changed")


def test_promoting_what_was_never_registered_says_so() -> None:
    with pytest.raises(RegistryUnavailable, match=r"nobody"):
        MlflowRegistry().promote("nobody", "1")


def test_a_registry_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, package: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2@127.0.0.1:9")  # discard: nothing listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryUnavailable, match=r"127\.0\.0\.1:9") as refused:
        MlflowRegistry().production("delays")
    assert "hunter2" not in str(refused.value)


def test_a_version_in_production_that_seaway_did_not_register_is_named(package: Path) -> None:
    tracker = MlflowRegistry()
    with tracker.session() as client:
        client.create_registered_model("foreign")
        client.create_model_version("foreign", package.as_uri())
        client.set_registered_model_alias("foreign", "production", "1")
    with pytest.raises(RegistryUnavailable, match="foreign stands on version 1, which Seaway did not register"):
        tracker.production("foreign")


@pytest.mark.parametrize("pages", ["", "https://mlflow.example.com/"])
def test_pages_are_where_people_open_them(monkeypatch: pytest.MonkeyPatch, pages: str) -> None:
    """The address by which steps find the server may be the cluster's own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.mlflow:5000")
    monkeypatch.setenv("SEAWAY_MLFLOW_PAGES", pages)
    address = MlflowRegistry().version_page("a b", "3")
    assert address == f"{pages.rstrip('/') or 'http://mlflow.mlflow:5000'}/#/models/a%20b/versions/3"


def test_a_store_in_a_file_has_no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////tmp/store.db")
    assert (MlflowRegistry().version_page("a", "3"), MlflowRegistry().run_page("r")) == ("", "")


def test_an_empty_tracking_uri_is_none(state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    shutil.copytree(state / "mlflow", tmp_path / "mlflow", ignore=shutil.ignore_patterns("artifacts"))
    monkeypatch.setattr(mlflow, "EXPERIMENT", "empty")
    tracker = MlflowRegistry()
    run = tracker.log_training("empty", {}, METRICS, HISTORY, "3" * 64)
    assert tracker._client.get_run(run).info.artifact_uri.startswith((tmp_path / "mlflow").as_uri())


REGISTER = """
import sys
from pathlib import Path
from seaway.platforms.mlflow import MlflowRegistry
print(MlflowRegistry().register("together", Path(sys.argv[1])))
"""


PROMOTE = """
import sys
from seaway.errors import ProductionChanged
from seaway.platforms.mlflow import MlflowRegistry
tracker = MlflowRegistry()
tracker.versions("race")
print("ready", flush=True)
sys.stdin.readline()
try:
    tracker.promote(*sys.argv[1:3], over=sys.argv[3])
    print("promoted")
except ProductionChanged as change:
    print(change)
"""


def in_process(code: str, home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "SEAWAY_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def promoter(name: str, version: str, over: str) -> subprocess.Popen[str]:
    """A process that has the store open and promotes as soon as it is told to go."""
    process = in_process(PROMOTE, home(), name, version, over)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.fixture
def race(request: pytest.FixtureRequest, trained: Path, train: Path, package: Path, tmp_path: Path) -> list[str]:
    """Name of a model in production, its content hash, and two versions that were judged against it."""
    tracker, name = MlflowRegistry(), f"race-{request.node.name[-20:]}"
    tracker.promote(name, tracker.register(name, package))
    rivals = [make_package(trained, train, tmp_path / str(seed), seed) for seed in (21, 22)]
    judged = models.verify(package, models.verifying_key(home() / "keys")).sha256[:12]
    return [name, judged, *(tracker.register(name, rival) for rival in rivals)]


def in_production(name: str) -> list[str]:
    return [one.version for one in MlflowRegistry().versions(name) if one.production]


def test_of_processes_that_promote_over_the_same_model_at_once_one_does(race: list[str]) -> None:
    name, judged, *versions = race
    racing = {version: promoter(name, version, judged) for version in versions}
    for process in racing.values():
        go(process)
    told = {version: process.communicate()[0] for version, process in racing.items()}
    (winner,) = [version for version, line in told.items() if line == "promoted\n"]
    (refused,) = [line for version, line in told.items() if version != winner]
    assert f"version {winner} is in production" in refused
    MlflowRegistry().promote(name, winner, over=judged)  # as a step that is tried again
    assert in_production(name) == [winner]


def test_nobody_promotes_between_the_look_and_the_write_of_a_promotion(
    monkeypatch: pytest.MonkeyPatch, race: list[str]
) -> None:
    name, judged, ours, theirs = race
    other, look = promoter(name, theirs, judged), mlflow.require_replaceable

    def look_while_the_other_goes(*seen: Any) -> None:
        look(*seen)
        go(other)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(1.0)  # unhindered it takes milliseconds

    monkeypatch.setattr(mlflow, "require_replaceable", look_while_the_other_goes)
    MlflowRegistry().promote(name, ours, over=judged)
    assert f"version {ours} is in production" in other.communicate()[0]
    assert in_production(name) == [ours]


def test_processes_that_register_at_once_in_a_new_store_agree(
    state: Path, trained: Path, train: Path, tmp_path: Path
) -> None:
    fresh = tmp_path / "home"
    shutil.copytree(state / "keys", fresh / "keys")
    package = make_package(trained, train, tmp_path / "same", seed=5)
    started = [in_process(REGISTER, fresh, str(package)) for _ in range(2)]
    versions = [process.communicate()[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert versions == ["1", "1"]
    with sqlite3.connect(fresh / "mlflow" / "mlflow.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM model_versions").fetchone() == (1,)


def test_components_take_a_trained_model_to_production(trained: Path, train: Path, tmp_path: Path) -> None:
    model = dsl.Model(name="model", uri=str(trained))
    package, copy = dsl.Model(name="package", uri=str(tmp_path / "p")), dsl.Model(name="copy", uri=str(tmp_path / "c"))
    receipt = dsl.Artifact(name="receipt", uri=str(tmp_path / "r"))
    rows = dsl.Dataset(name="train", uri=str(train))
    package_model.python_func(model=model, train=rows, package=package, parameters={"hidden": [4]}, seed=9)
    lineage = models.trace(trained, train, {"hidden": [4]}, seed=9)
    run = models.log_trained(platforms.current(models.ModelRegistry), "steps", trained, lineage)
    links = dsl.Markdown(name="links", uri=str(tmp_path / "links.md"))
    (version,) = register_model.python_func(package=package, receipt=receipt, links=links, name="steps")
    promote_model.python_func(receipt=receipt, links=links, name="steps", version=version)
    (current,) = get_production_model.python_func(fallback=package, package=copy, links=links, name="steps")
    assert Path(links.path).read_text() == "steps version 1 in production\n"  # no server here to be linked to
    assert current == version == "1"
    checked = models.verify(Path(copy.path), models.verifying_key(home() / "keys"))
    assert checked.lineage.seed == 9
    assert copy.metadata["summary"] == "steps version 1 in production"
    assert platforms.current(models.ModelRegistry).versions("steps")[0].run_id == run
    assert len(MlflowRegistry()._client.get_metric_history(run, "curve/loss")) == len(HISTORY)
