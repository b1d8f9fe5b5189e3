"""What a compiled pipeline has its steps mount: by what they are, and beside what their author has set."""

from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp import dsl, kubernetes
from seaway.kfp import compile as compiler
from seaway_components.data.ingest_tables.component import ingest_tables
from seaway_components.features.build_features.component import build_features
from seaway_components.models.package_model.component import package_model
from seaway_components.training.train_pytorch.component import train_pytorch
from seaway_examples.flights.schema import DEFINITIONS, SOURCE


@dsl.component
def foreign(tables: dsl.Input[dsl.Dataset]):
    """A step of somebody else."""
    print(tables.path)  # noqa: T201


@dsl.pipeline(name="mounting")
def pipeline(months: str = "1"):
    ingested = ingest_tables(source=SOURCE, options={"months": months})
    kubernetes.add_node_selector(ingested, "disk", "fast")
    kubernetes.use_secret_as_volume(ingested, "own", "/own")
    foreign(tables=ingested.outputs["tables"])
    train = build_features(tables=ingested.outputs["tables"], definitions=DEFINITIONS).outputs["repository"]
    model = train_pytorch(train=train, validation=train).outputs["model"]
    package_model(model=model, train=train)


@pytest.fixture(scope="module")
def executors() -> dict[str, Any]:
    _, platform = yaml.safe_load_all(compiler.compiled(pipeline).text)
    found: dict[str, Any] = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return found


def secrets(executor: dict[str, Any]) -> list[str]:
    return [mount["secretName"] for mount in executor["secretAsVolume"]]


def test_a_step_of_seaway_mounts_settings_and_the_storages_keys_where_they_are(executors: dict[str, Any]) -> None:
    assert secrets(executors["exec-build-features"]) == ["seaway-storage"]
    mounts = executors["exec-build-features"]["configMapAsVolume"] + executors["exec-build-features"]["secretAsVolume"]
    assert all(mount["optional"] for mount in mounts)


def test_only_a_step_that_signs_mounts_the_signing_key(executors: dict[str, Any]) -> None:
    signing = [label for label, executor in executors.items() if "seaway-signing" in secrets(executor)]
    assert signing == ["exec-package-model"]


def test_a_foreign_step_is_given_nothing(executors: dict[str, Any]) -> None:
    assert "exec-foreign" not in executors


def test_what_the_author_has_set_stays(executors: dict[str, Any]) -> None:
    assert executors["exec-ingest-tables"]["nodeSelector"] == {"labels": {"disk": "fast"}}
    assert secrets(executors["exec-ingest-tables"]) == ["own", "seaway-storage"]


def test_a_step_of_seaway_is_no_root_unless_its_author_says_so(executors: dict[str, Any]) -> None:
    @dsl.pipeline(name="root")
    def root() -> None:
        kubernetes.set_security_context(ingest_tables(source=SOURCE), run_as_user=0)

    _, platform = yaml.safe_load_all(compiler.compiled(root).text)
    [author] = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    assert executors["exec-build-features"]["securityContext"] == {"runAsNonRoot": True}
    assert author["securityContext"] == {"runAsUser": "0"}


def test_mounts_are_what_kfps_own_functions_write(executors: dict[str, Any]) -> None:
    @dsl.pipeline(name="by-hand")
    def by_hand() -> None:
        task = ingest_tables(source=SOURCE)
        kubernetes.use_config_map_as_volume(task, "seaway-settings", "/etc/seaway/settings", optional=True)
        kubernetes.use_secret_as_volume(task, "seaway-storage", "/etc/seaway/storage", optional=True)
        kubernetes.set_security_context(task, run_as_non_root=True)

    expected = by_hand.platform_spec.platforms["kubernetes"].deployment_spec.executors["exec-ingest-tables"]
    assert executors["exec-build-features"] == json_format.MessageToDict(expected)


def test_compiling_again_adds_nothing() -> None:
    assert compiler.compiled(pipeline).text == compiler.compiled(pipeline).text
    assert not pipeline.platform_spec.platforms["kubernetes"].deployment_spec.executors["exec-build-features"]
