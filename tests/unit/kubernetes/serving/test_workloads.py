"""What an endpoint asks a cluster for, by each backend, and the record that a restarted step reads."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway import registry
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.model_server.arm import RemoteArm
from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.serving import endpoint, server_pod
from seaway.platforms.kubernetes.serving.deployment import Deployments
from seaway.platforms.kubernetes.serving.hosting import Autoscale, Hosting
from seaway.platforms.kubernetes.serving.kserve import InferenceServices
from seaway.platforms.kubernetes.serving.readiness import refusal
from seaway.platforms.kubernetes.serving.reconciler import service
from seaway.platforms.kubernetes.serving.record import Record
from seaway.platforms.kubernetes.serving.seldon import SeldonDeployments
from seaway.platforms.kubernetes.serving.workload import Served, Workload
from seaway.serving import EndpointSpec

IMAGE = "docker.io/seaway/server:1"
BACKENDS: tuple[Workload, ...] = (Deployments(), SeldonDeployments(), InferenceServices())
WEIGHTS = {"stable": 90, "candidate": 10}
STABLE, CANDIDATE = "a" * 12, "b" * 12


def served(version: str = STABLE, **settings: Any) -> Served:
    arm = RemoteArm("flights", version, f"s3://models/flights/{version}", 32, 1, 1, 1, 120.0)
    return Served(arm, Hosting(IMAGE, **settings), "-----BEGIN PUBLIC KEY-----\n")


def arms(**settings: Any) -> dict[str, Served]:
    return {"stable": served(**settings), "candidate": served(CANDIDATE, **settings)}


def named(manifest: dict[str, Any]) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "labels": {server_pod.ENDPOINT: "flights"}}}


def pods(value: Any) -> list[dict[str, Any]]:
    """Every PodSpec below `value`."""
    if isinstance(value, dict):
        own = [value] if "containers" in value else []
        return own + [pod for part in value.values() for pod in pods(part)]
    return [pod for part in value for pod in pods(part)] if isinstance(value, list) else []


def variables(pod: dict[str, Any]) -> dict[str, str]:
    """Those of the server."""
    return {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.kind.resource.kind)
class TestEachBackend:
    def test_both_arms_are_pods_that_fetch_a_verified_package_before_they_serve(self, backend: Workload) -> None:
        found = pods(backend.objects("flights", arms(), WEIGHTS))
        assert len(found) == 2
        for pod, version in zip(found, (STABLE, CANDIDATE), strict=True):
            [fetcher], [server] = pod["initContainers"], pod["containers"]
            assert fetcher["command"] == server_pod.FETCH
            asked = json.loads({entry["name"]: entry["value"] for entry in fetcher["env"]}["SEAWAY_ARM"])
            assert asked["package"] == f"s3://models/flights/{version}"
            assert {probe for probe in server if probe.endswith("Probe")} == {
                "startupProbe", "readinessProbe", "livenessProbe",
            }  # fmt: skip

    def test_pods_are_restricted_and_say_what_they_need(self, backend: Workload) -> None:
        for pod in pods(backend.objects("flights", arms(cpu="2", memory="3Gi"), WEIGHTS)):
            assert pod["securityContext"]["runAsNonRoot"]
            assert not pod["automountServiceAccountToken"]
            for container in (*pod["initContainers"], *pod["containers"]):
                assert container["securityContext"]["readOnlyRootFilesystem"]
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
                assert container["resources"]["requests"] == {"cpu": "2", "memory": "3Gi"}

    def test_only_the_step_that_fetches_gets_the_storages_credentials(self, backend: Workload) -> None:
        for pod in pods(backend.objects("flights", arms(env_secrets=["storage"]), WEIGHTS)):
            assert pod["initContainers"][0]["envFrom"] == [{"secretRef": {"name": "storage"}}]
            assert "envFrom" not in pod["containers"][0]
            assert "SEAWAY_SERVED" not in variables(pod)

    def test_a_server_that_logs_what_it_serves_knows_where_and_may_write_there(self, backend: Workload) -> None:
        for pod in pods(backend.objects("flights", arms(env_secrets=["storage"], served="s3://logs/served"), WEIGHTS)):
            assert variables(pod)["SEAWAY_SERVED"] == "s3://logs/served"
            assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "storage"}}]

    @pytest.mark.parametrize("server", sorted(registry.backends("ModelServer")))
    def test_any_server_is_one_argument(self, backend: Workload, server: str, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("key")
        spec = EndpointSpec("flights", "r1", tmp_path, server=server)
        arm = endpoint.served(spec, STABLE, "s3://models/flights", Hosting(IMAGE), tmp_path / "key")
        found = pods(backend.objects("flights", {"stable": arm}, {"stable": 100}))
        assert {RemoteArm.parse(variables(pod)).server for pod in found} == {server}

    def test_an_accelerator_is_asked_for_where_the_model_is(self, backend: Workload) -> None:
        for pod in pods(backend.objects("flights", arms(gpus=1), WEIGHTS)):
            assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
            assert "nvidia.com/gpu" not in pod["initContainers"][0]["resources"]["limits"]

    @pytest.mark.parametrize("settings", [{}, {"autoscale": Autoscale(8, 60)}, {"node_selector": {"disk": "ssd"}}])
    def test_its_objects_pass_the_schema_and_the_webhooks_rules(
        self, backend: Workload, settings: dict[str, Any]
    ) -> None:
        for wanted in (arms(**settings), {"stable": served(**settings)}):
            weights = WEIGHTS if len(wanted) > 1 else {"stable": 100}
            [first, *_] = backend.objects("flights", wanted, weights)
            backend.preflight(named(first))

    def test_the_stable_arm_is_the_same_with_and_without_a_candidate(self, backend: Workload) -> None:
        alone = pods(backend.objects("flights", {"stable": served()}, {"stable": 100}))
        assert pods(backend.objects("flights", arms(), WEIGHTS))[0] == alone[0]

    def test_as_many_pods_must_answer_as_are_asked_for(self, backend: Workload) -> None:
        workloads = backend.pods_by_owner("flights", arms(replicas=3))
        assert sum(workloads.values(), type(next(iter(workloads.values())))()) == {STABLE: 3, CANDIDATE: 3}


class TestDeployments:
    def test_of_each_version_there_is_one_with_its_budget(self) -> None:
        found = [(one["kind"], one["metadata"]["name"]) for one in Deployments().objects("flights", arms(), WEIGHTS)]
        assert found == [
            (kind, f"flights-{version}")
            for version in (STABLE, CANDIDATE)
            for kind in ("Deployment", "PodDisruptionBudget")
        ]

    def test_what_is_scaled_by_load_has_no_number_of_its_own(self) -> None:
        wanted = {"stable": served(replicas=2, autoscale=Autoscale(6, 70))}
        deployment, _, autoscaler = Deployments().objects("flights", wanted, {"stable": 100})
        assert "replicas" not in deployment["spec"]
        assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (2, 6)
        [metric] = autoscaler["spec"]["metrics"]
        assert metric["resource"]["target"]["averageUtilization"] == 70

    def test_a_new_pod_answers_before_an_old_one_ends(self) -> None:
        deployment, *_ = Deployments().objects("flights", arms(), WEIGHTS)
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}

    def test_a_service_leads_to_one_version(self) -> None:
        assert service("flights", "stable", STABLE)["spec"]["selector"] == {
            server_pod.ENDPOINT: "flights", server_pod.VERSION: STABLE,
        }  # fmt: skip


class TestKServe:
    def test_each_version_is_a_service_of_its_own_in_standard_mode(self) -> None:
        services = [
            one for one in InferenceServices().objects("flights", arms(), WEIGHTS) if "predictor" in one["spec"]
        ]
        assert [one["metadata"]["name"] for one in services] == [f"flights-{STABLE}", f"flights-{CANDIDATE}"]
        assert all(one["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard" for one in services)

    @pytest.mark.parametrize("name", ["f" * 50, "1flights"])
    def test_names_that_its_deployment_could_not_have_are_refused(self, name: str) -> None:
        service, _ = InferenceServices().objects(name, {"stable": served()}, {"stable": 100})
        with pytest.raises(InvalidSpec, match="name"):
            InferenceServices().preflight(named(service))


class TestSeldon:
    def test_predictors_are_called_as_the_arms_and_share_the_traffic(self) -> None:
        deployment, *_ = SeldonDeployments().objects("flights", arms(), WEIGHTS)
        predictors = deployment["spec"]["predictors"]
        assert {one["name"]: one["traffic"] for one in predictors} == WEIGHTS

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda spec: spec["predictors"][0].update(traffic=80), "sum to 100"),
            (lambda spec: spec["predictors"][0].update(name="candidate"), "Duplicate"),
            (lambda spec: spec["predictors"][0]["graph"].update(name="other"), "find container"),
            (lambda spec: spec["predictors"][0].update(trafic=90), "not declared"),
        ],
    )
    def test_what_its_webhook_refuses_is_refused_before_it_is_sent(self, change: Any, said: str) -> None:
        deployment, *_ = SeldonDeployments().objects("flights", arms(), WEIGHTS)
        change(deployment["spec"])
        with pytest.raises(InvalidSpec, match=said):
            SeldonDeployments().preflight(named(deployment))


class TestHosting:
    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"image": ""}, "image"),
            ({"replicas": 0}, "replicas"),
            ({"replicas": 5, "autoscale": {"max_replicas": 3}}, "max_replicas"),
            ({"autoscale": {"max_replica": 3}}, "autoscale.max_replica"),
            ({"memory": "2 GB"}, "quantity"),
            ({"env": {"SEAWAY_ARM": "x"}}, "variable"),
            ({"tolerations": [{"keys": "gpu"}]}, "tolerations"),
            ({"colour": "blue"}, "unknown"),
        ],
    )
    def test_wrong_settings_are_refused_by_name(self, settings: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidSpec, match=said):
            Hosting.parse({"image": IMAGE, **settings})

    def test_packages_need_a_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SEAWAY_STORAGE", raising=False)
        with pytest.raises(InvalidSpec, match="SEAWAY_STORAGE"):
            Hosting(IMAGE).package_uri("flights", STABLE)


@given(
    st.integers(1, 9),
    st.sampled_from(["", "flights.example.org"]),
    st.booleans(),
    st.sampled_from([None, Autoscale(9)]),
)
def test_a_record_reads_back_as_it_was_written(
    replicas: int, host: str, standing: bool, autoscale: Autoscale | None
) -> None:
    wanted = arms(replicas=replicas, autoscale=autoscale, host=host)
    record = Record("flights", "run-1", "deployment", wanted, 1.5, "http://gateway", host, standing)
    manifest = {"metadata": {"name": "flights-endpoint"}, "data": record.data()}
    read = Record.of(manifest)
    assert read.data() == record.data()
    assert (read.run, read.host, read.standing) == ("run-1", host, standing)
    assert read.arms["candidate"].hosting.replicas == replicas
    keys = {server_pod.key_of(version) for version in (STABLE, CANDIDATE)}
    assert set(record.data()) == {"endpoint.json", "run", "candidate", *keys}


def test_a_config_map_without_a_record_is_told_by_its_name() -> None:
    with pytest.raises(DataUnreadable, match="flights-endpoint"):
        Record.of({"metadata": {"name": "flights-endpoint"}, "data": {"endpoint.json": "{}"}})


def test_a_refused_package_is_heard_from_the_pod_also_after_its_container_began_anew() -> None:
    said = "downloading\nPackageRefused: The package s3://m/x of endpoint flights is refused: no."
    ended = {"terminated": {"exitCode": 1, "message": said}}
    for states in ({"state": ended}, {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended}):
        pod = {"metadata": {"name": "p"}, "status": {"initContainerStatuses": [{"name": "fetch", **states}]}}
        assert refusal(pod) == "The package s3://m/x of endpoint flights is refused: no."
    assert not refusal({"metadata": {"name": "p"}, "status": {}})


def test_a_pods_model_is_the_endpoints_spec_there(tmp_path: Path) -> None:
    arm = served().arm
    assert RemoteArm.parse({"SEAWAY_ARM": arm.text}) == arm
    assert arm.local(tmp_path, None).batch_size == arm.batch_size
    with pytest.raises(InvalidSpec, match="SEAWAY_ARM"):
        RemoteArm.parse({})
    with pytest.raises(InvalidSpec, match="threads"):
        replace(arm, threads=0)


def test_a_log_of_what_is_served_is_asked_of_no_folder_that_ends_with_its_pod() -> None:
    with pytest.raises(InvalidSpec, match="s3://"):
        Hosting(IMAGE, served="/srv/served")
