"""OptimizationJobs as Kubeflow Trainer defines them: preflight says what an API server with that definition says."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from dry_runs import server_says
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.manifests.documents import Document
from seaway.platforms.kubernetes.manifests.judge import judge

JOBS = Resource("trainer.kubeflow.org", "v1alpha1", "optimizationjobs", "OptimizationJob")
STUDY = """
apiVersion: trainer.kubeflow.org/v1alpha1
kind: OptimizationJob
metadata: {name: study}
spec:
  objectives: [{metric: validation_auc, direction: Maximize}]
  searchAlgorithm: {random: {seed: 7}}
  parameters:
    - {name: learning_rate, searchSpace: {logUniform: {min: "0.0001", max: "1e-1"}}}
    - {name: layers, searchSpace: {uniform: {min: "1", max: "9", type: Int}}}
    - {name: optimizer, searchSpace: {categorical: {choices: [adam, sgd]}}}
  numTrials: 20
  parallelTrials: 4
  trainJobTemplate:
    spec:
      runtimeRef: {name: torch-distributed, apiGroup: trainer.kubeflow.org, kind: ClusterTrainingRuntime}
      trainer: {image: "docker.io/example/trainer:1", command: [python, train.py]}
"""
TAKEN = ("", "numTrials: 20 -> numTrials: 4", "  searchAlgorithm: {random: {seed: 7}}\n -> ", ", type: Int -> ")
REFUSED = {
    "parallelTrials: 4 -> parallelTrials: 40": "spec",
    "numTrials: 20 -> numTrials: 101": "spec.numTrials",
    "random: {seed: 7} -> grid: {}": "spec",
    "random: {seed: 7} -> random: {}, grid: {}": "spec",
    "random: {seed: 7} -> tpe: {}": "spec.searchAlgorithm",
    "direction: Maximize} -> direction: Maximize}, {metric: loss}": "spec.objectives",
    "direction: Maximize -> direction: maximize": "spec.objectives[0].direction",
    'max: "1e-1" -> max: "0.00001"': "spec.parameters[0].searchSpace.logUniform",
    'min: "0.0001" -> min: "0"': "spec.parameters[0].searchSpace.logUniform",
    'min: "0.0001" -> min: "1e"': "spec.parameters[0].searchSpace.logUniform.min",
    'min: "0.0001" -> min: 0.0001': "spec.parameters[0].searchSpace.logUniform.min",
    "name: layers -> name: learning_rate": "spec.parameters[1]",
    "choices: [adam, sgd] -> choices: [adam, adam]": "spec.parameters[2].searchSpace.categorical.choices[1]",
    "  trainJobTemplate: ->   trainJobTemplate:\n    metadata: {name: one}": "spec.trainJobTemplate.metadata",
    "runtimeRef: -> runtime:": "spec.trainJobTemplate.spec",
}


@pytest.fixture(scope="module", autouse=True)
def served(serve: Callable[..., None]) -> None:
    serve(JOBS)


def changed(change: str) -> dict[str, Any]:
    before, _, after = change.partition(" -> ")
    assert before in STUDY
    made: dict[str, Any] = yaml.safe_load(STUDY.replace(before, after, 1) if before else STUDY)
    return made


@pytest.mark.parametrize("change", TAKEN)
def test_a_study_is_taken_by_both(change: str, connection: Connection) -> None:
    manifest = changed(change)
    assert list(judge(Document("-", manifest)).refused) == []
    assert server_says(connection, JOBS.path(connection.namespace), manifest) is None


@pytest.mark.parametrize("change", REFUSED)
def test_a_study_is_refused_by_both_and_its_field_is_told(change: str, connection: Connection) -> None:
    manifest = changed(change)
    found = judge(Document("-", manifest)).refused
    assert [one for one in found if one.field.startswith(REFUSED[change])], found
    assert server_says(connection, JOBS.path(connection.namespace), manifest)
