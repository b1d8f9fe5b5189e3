"""A fused pipeline in pods: the artifacts of one that was run step by step, and no mount that a step had not.

It needs no gateway: from raw flights to examples, and what is made of them is signed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cluster_fixtures
import pytest
from fake_pipelines import FakeRun, compiled, give_keys, read_told
from kfp import dsl
from kubernetes import client, dynamic
from object_store_pod import BUCKET
from seaway.kfp import compile as compiler
from seaway.kfp import component
from seaway.kfp.fuse.step import origin
from seaway.kfp.local.runner import local_run
from seaway.platforms.pod_settings import SIGNING
from seaway.storage import storage_for
from seaway_components.data import ingest_tables, validate_tables
from seaway_components.features import build_features, get_training_examples
from seaway_components.models import package_model
from seaway_examples.flights.schema import DEFINITIONS, RULES, SOURCE

pytestmark = pytest.mark.timeout(900)
POD = "ingest-tables-to-make-model"
GIVEN = {"months": "1", "rows": 4000}


@component
def make_model(train: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model], seen: dsl.Output[dsl.Artifact]) -> int:
    """What may be packaged, and whether the signing key was in sight."""
    from pathlib import Path

    from seaway.storage import write_json

    Path(model.path).mkdir()
    write_json(Path(model.path) / "metrics.json", {})
    write_json(
        Path(seen.path),
        {"signing": Path("/etc/seaway/signing").exists(), "settings": Path("/etc/seaway/settings").exists()},
    )
    return int(train.metadata["rows"])


@dsl.pipeline(name="examples")
def examples(months: str, rows: int) -> None:
    """A chain of five, and one that signs."""
    tables = ingest_tables(source=SOURCE, options={"months": months, "rows": rows}).outputs["tables"]
    checked = validate_tables(tables=tables, rules=RULES)
    repository = build_features(tables=tables, definitions=DEFINITIONS).after(checked).outputs["repository"]
    train = get_training_examples(repository=repository, tables=tables).outputs["train"]
    made = make_model(train=train)
    package_model(model=made.outputs["model"], train=train)


@pytest.fixture(scope="module")
def run(
    cluster: dynamic.DynamicClient, runtime_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FakeRun]:
    """The fused pipeline up to where it is signed, for which the namespace has no key."""
    with cluster_fixtures.namespace_for_steps(cluster) as (connection, store), pytest.MonkeyPatch.context() as patch:
        core = client.CoreV1Api(connection.requests)
        give_keys(core, connection.namespace, store)
        core.delete_namespaced_secret(SIGNING.object, connection.namespace)
        for name, value in store.environment.items():
            patch.setenv(name, value)
        file = compiled(examples, runtime_image, tmp_path_factory.mktemp("compiled"), fuse=True)
        ran = FakeRun(file, connection.requests, connection.namespace, f"s3://{BUCKET}/shared")
        with pytest.raises(RuntimeError, match="package-model"):
            ran.run(**GIVEN)
        yield ran


def test_five_steps_in_one_pod_give_what_they_give_one_by_one(
    run: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [step.executor for step in run.steps] == [f"exec-{POD}", "exec-package-model"]
    assert run.step(f"exec-{POD}").succeeded, run.step(f"exec-{POD}").log
    told = read_told(run, POD, tmp_path)
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    alone = given_alone(tmp_path)
    assert set(told["artifacts"]) == {name for name, value in alone.items() if isinstance(value, dict)}
    for name in ("get-training-examples--train", "get-training-examples--replay", "validate-tables--report"):
        [artifact] = told["artifacts"][name]["artifacts"]
        assert artifact["metadata"] == alone[name]["metadata"]
    assert told["parameterValues"]["make-model--Output"] == alone["make-model--Output"]
    assert any("/get-training-examples--train" in uri for uri in storage_for(run.root).list(run.root))


def test_the_shared_pod_has_the_settings_and_no_signing_key(run: FakeRun, tmp_path: Path) -> None:
    [uri] = [uri for uri in storage_for(run.root).list(run.root) if uri.endswith("/make-model--seen")]
    storage_for(uri).download(uri, tmp_path / "seen")
    assert json.loads((tmp_path / "seen").read_text()) == {"signing": False, "settings": True}
    assert SIGNING.object in run.step("exec-package-model").log


def given_alone(folder: Path) -> dict[str, Any]:
    """What the steps give on this machine, each in a process of its own, by step and output."""
    file = folder / "unsigned.yaml"
    file.write_text(compiler.compiled(unsigned).text, encoding="utf-8")
    record = local_run(str(file), GIVEN)
    return {origin(step.name, name): value for step in record.steps for name, value in step.outputs.items()}


@dsl.pipeline(name="unsigned")
def unsigned(months: str, rows: int) -> None:
    """The chain without its end."""
    tables = ingest_tables(source=SOURCE, options={"months": months, "rows": rows}).outputs["tables"]
    checked = validate_tables(tables=tables, rules=RULES)
    repository = build_features(tables=tables, definitions=DEFINITIONS).after(checked).outputs["repository"]
    make_model(train=get_training_examples(repository=repository, tables=tables).outputs["train"])
