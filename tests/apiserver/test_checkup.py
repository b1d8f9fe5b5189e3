"""What `seaway check --cluster` finds on a real API server."""

from dataclasses import replace

import pytest
from kubernetes import client, dynamic
from namespaces import made_namespace
from seaway import registry
from seaway.platforms.findings import Finding, State
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.permissions import APPLIED, Permission
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.install.checkup import INSTALLED, NEEDED, WORKFLOW, checkup


def found(connection: Connection, kubeflow: str = "kubeflow") -> dict[State, str]:
    """What is told, by state."""
    findings = list(checkup(connection, kubeflow))
    return {state: "\n".join(text(one) for one in findings if one.state is state) for state in State}


def text(finding: Finding) -> str:
    return f"{finding.what}. {finding.advice}"


@pytest.fixture
def core(connection: Connection) -> client.CoreV1Api:
    return client.CoreV1Api(connection.requests)


def restrict(core: client.CoreV1Api, namespace: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    core.patch_namespace(namespace, {"metadata": {"labels": labels}})


def test_an_empty_namespace_lacks_all_and_each_says_who_makes_it(connection: Connection) -> None:
    bad = found(connection)[State.BAD]
    for told in ("seaway-settings", "seaway-storage", "signing.sh", "None of default-editor, pipeline-runner"):
        assert told in bad


def test_steps_that_pod_security_refuses_are_found(
    connection: Connection, core: client.CoreV1Api, cluster: dynamic.DynamicClient
) -> None:
    restrict(core, connection.namespace)
    with made_namespace(cluster) as kubeflow:
        assert "cannot be read (404). It must have" in found(connection, kubeflow)[State.UNKNOWN]
        made = {"metadata": {"name": INSTALLED}, "data": {"bucketName": "mlpipeline"}}
        core.create_namespaced_config_map(kubeflow, made)
        assert "`restricted` refuses the pods of every step" in found(connection, kubeflow)[State.BAD]
        settled = {"data": {"defaultSecurityContextRunAsNonRoot": "true"}}
        core.patch_namespaced_config_map(INSTALLED, kubeflow, settled)
        assert "runs steps as no root" in found(connection, kubeflow)[State.GOOD]


def test_settings_that_are_missing_are_named(connection: Connection, core: client.CoreV1Api) -> None:
    data = dict.fromkeys(NEEDED, "said") | {"SEAWAY_STORAGE": ""}
    made = {"metadata": {"name": "seaway-settings"}, "data": data}
    core.create_namespaced_config_map(connection.namespace, made)
    assert "seaway-settings has no SEAWAY_STORAGE." in found(connection)[State.BAD]
    core.patch_namespaced_config_map("seaway-settings", connection.namespace, {"data": {"SEAWAY_STORAGE": "s3://a"}})
    assert "has what steps need" in found(connection)[State.GOOD]


def test_an_account_that_kubeflow_cannot_run_steps_as_is_found(connection: Connection, core: client.CoreV1Api) -> None:
    core.create_namespaced_service_account(connection.namespace, {"metadata": {"name": "pipeline-runner"}})
    lacks = found(connection)[State.BAD]
    assert "create workflowtaskresults.argoproj.io" in lacks
    assert "create jobs.batch" in lacks
    authorization = client.RbacAuthorizationV1Api(connection.requests)
    role, binding = rbac.role((*rbac.RULES, WORKFLOW)), rbac.role_binding()
    binding["subjects"] = [{"kind": "ServiceAccount", "name": "pipeline-runner", "namespace": connection.namespace}]
    authorization.create_namespaced_role(connection.namespace, role)
    authorization.create_namespaced_role_binding(connection.namespace, binding)
    assert "Account pipeline-runner may do what steps do" in found(connection)[State.GOOD]


class Nobodys:
    """A backend whose kind no test installs."""

    permissions = (Permission(Resource("nobody.example.com", "v1", "boats", "Boat"), APPLIED, "in a test"),)


def test_a_chosen_backend_whose_kind_is_not_installed_is_found(
    connection: Connection, core: client.CoreV1Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    boat = registry.Backend("Endpoint", "boat", registry.KUBERNETES, f"{__name__}:Nobodys")
    monkeypatch.setattr(registry, "BACKENDS", (*registry.BACKENDS, boat))
    monkeypatch.setattr(registry.Backend, "load", lambda one: Nobodys if one == boat else object())
    made = {"metadata": {"name": "seaway-settings"}, "data": {"SEAWAY_TUNER": "optuna", "SEAWAY_ENDPOINT": "boat"}}
    core.create_namespaced_config_map(connection.namespace, made)
    bad = found(connection)[State.BAD]
    assert "endpoint boat needs boats.nobody.example.com, which is not installed. Install its operator" in bad
    assert "SEAWAY_ENDPOINT" in bad


def test_a_server_that_does_not_answer_is_unknown_not_bad(connection: Connection) -> None:
    away = client.Configuration(host="http://127.0.0.1:1")
    away.retries = False
    nobody = replace(connection, requests=client.ApiClient(away))
    states = {one.state for one in checkup(nobody)}
    assert states == {State.UNKNOWN}
