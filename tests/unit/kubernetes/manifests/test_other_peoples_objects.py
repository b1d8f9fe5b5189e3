"""Rules of KServe, Seldon, Istio, Trainer and the training operator for what others write: each fault a line."""

from typing import Any

import pytest
import yaml
from experiments import valid
from hypothesis import given, settings
from hypothesis import strategies as st
from mutants_of_objects import mutated
from seaway.platforms.kubernetes.manifests.documents import Document
from seaway.platforms.kubernetes.manifests.judge import Verdict, judge

TAKEN = {
    "KServe: canaries of a model": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, annotations: {serving.kserve.io/deploymentMode: RawDeployment}}
spec:
  predictor: {name: one, minReplicas: 2, model: {modelFormat: {name: sklearn}, storageUri: "s3://models/1"}}
  canary:
    - trafficPercent: 10  # KServe's definition wants a name in a canary's model, which it forbids in the stable one
      predictor:
        {name: two, model: {name: kserve-container, modelFormat: {name: sklearn}, storageUri: "s3://models/2"}}
    - trafficPercent: 90
      predictor: {name: three, minReplicas: 2, sklearn: {name: kserve-container, storageUri: "s3://models/3"}}
""",
    "KServe: old frameworks, transformer and explainer": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris}
spec:
  predictor: {minReplicas: 0, containerConcurrency: 4, xgboost: {storageUri: "gs://models/1"}, logger: {mode: all}}
  transformer:
    containers: [{name: kserve-container, image: "example.org/t:1"}, {name: side, image: "example.org/s:1"}]
  explainer: {art: {type: SquareAttack, storageUri: "gs://art"}}
""",
    "KServe: a custom predictor with a transformer beside it": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: own}
spec:
  predictor:
    containers:
      - {name: kserve-container, image: "example.org/m:1", env: [{name: STORAGE_URI, value: "s3://m"}]}
      - {name: transformer-container, image: "example.org/t:1"}
""",
    "KServe: several nodes": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: large, annotations: {serving.kserve.io/autoscalerClass: none}}
spec:
  predictor:
    model: {modelFormat: {name: huggingface}, storageUri: "pvc://models/large"}
    workerSpec: {pipelineParallelSize: 2, tensorParallelSize: 4}
""",
    "Seldon: an A/B test at the root": """
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: ab}
spec:
  predictors:
    - name: main
      graph:
        name: split
        implementation: RANDOM_ABTEST
        parameters: [{name: ratioA, value: "0.5", type: FLOAT}]
        children:
          - {name: a, implementation: SKLEARN_SERVER, modelUri: "s3://models/a"}
          - {name: b, implementation: XGBOOST_SERVER, modelUri: "s3://models/b"}
""",
    "Seldon: a container of one's own and a shadow": """
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: shadowed}
spec:
  predictors:
    - name: main
      traffic: 100
      componentSpecs: [{spec: {containers: [{name: own, image: "example.org/m:1"}]}}]
      graph: {name: own, type: MODEL}
    - name: next
      shadow: true
      traffic: 20
      graph: {name: c, implementation: TRITON_SERVER, modelUri: "s3://models/c"}
""",
    "Istio: a ratio, a redirect, a direct response, a delegate": """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*.example.org", "10.0.0.1"]
  gateways: [edge]
  http:
    - match: [{uri: {regex: "/v[12]/.*"}, headers: {x-user: {prefix: a}}, port: 80}]
      route: [{destination: {host: web}, weight: 1}, {destination: {host: next}, weight: 3}]
    - {match: [{uri: {prefix: /old}}], redirect: {uri: /new, redirectCode: 301}}
    - {match: [{uri: {prefix: /down}}], directResponse: {status: 503}}
    - {match: [{uri: {prefix: /team}}], delegate: {name: team}}
    - mirrors: [{destination: {host: shadow}, percentage: {value: 5}}]
      route: [{destination: {host: web}}]
""",
    "training operator: elastic with workers, managed by MultiKueue": """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: train}
spec:
  elasticPolicy: {minReplicas: 1, maxReplicas: 3}
  runPolicy: {managedBy: kueue.x-k8s.io/multikueue}
  pytorchReplicaSpecs:
    Worker: {replicas: 2, template: {spec: {containers: [{name: pytorch, image: "example.org/t:1"}]}}}
""",
    "Trainer: MPI, whose variables are its own, with a patch": """
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: train}
spec:
  runtimeRef: {apiGroup: trainer.kubeflow.org, kind: ClusterTrainingRuntime, name: deepspeed-distributed}
  trainer: {numNodes: 2, env: [{name: LR, value: "1"}]}
  runtimePatches:
    - manager: example.org/placement
      trainingRuntimeSpec:
        template: {spec: {replicatedJobs: [{name: node, template: {spec: {template: {spec: {nodeSelector: {a: b}}}}}}]}}
""",
    "KubeRay: a job with a cluster of its own": """
apiVersion: ray.io/v1
kind: RayJob
metadata: {name: sample}
spec:
  entrypoint: python /home/ray/samples/code.py
  shutdownAfterJobFinishes: true
  ttlSecondsAfterFinished: 10
  runtimeEnvYAML: "pip: [requests==2.26.0]"
  submitterPodTemplate:
    spec: {restartPolicy: Never, containers: [{name: submitter, image: "example.org/ray:2"}]}
  rayClusterSpec:
    rayVersion: "2.50.0"
    headGroupSpec:
      rayStartParams: {dashboard-host: "0.0.0.0"}
      template: {spec: {containers: [{name: head, image: "example.org/ray:2", resources: {limits: {cpu: "1"}}}]}}
    workerGroupSpecs:
      - {groupName: small, replicas: 1, minReplicas: 1, maxReplicas: 5, rayStartParams: {},
         template: {spec: {containers: [{name: worker, image: "example.org/ray:2"}]}}}
""",
    "KubeRay: a job on a cluster that is there": """
apiVersion: ray.io/v1
kind: RayJob
metadata: {name: sample}
spec: {entrypoint: python code.py, clusterSelector: {ray.io/cluster: shared}}
""",
}
OBJECTS: dict[str, dict[str, Any]] = {name: yaml.safe_load(text) for name, text in TAKEN.items()}
CANARIES, OLD, OWN, NODES, AB, SHADOW, WEB, ELASTIC, MPI, RAY, SHARED = TAKEN


def verdict_on(value: Any) -> Verdict:
    return judge(Document("", value))


@pytest.mark.parametrize("name", TAKEN)
def test_what_others_write_is_taken(name: str) -> None:
    verdict = verdict_on(OBJECTS[name])
    assert verdict.by
    assert list(verdict.refused) == []
    assert [str(one) for one in verdict.advised if "add up to" not in one.says] == []


def changed(name: str, change: str) -> dict[str, Any]:
    """The object with one part of its text replaced: `this -> that`; nothing is replaced that is not there."""
    before, _, after = change.partition(" -> ")
    assert TAKEN[name].count(before) >= 1, (name, before)
    found: dict[str, Any] = yaml.safe_load(TAKEN[name].replace(before, after, 1))
    return found


REFUSED = [
    (RAY, "Finishes: true -> Finishes: false", "spec.ttlSecondsAfterFinished", "Forbidden"),
    (RAY, "name: sample -> name: 1-sample", "metadata.name", "DNS-1035"),
    (SHARED, "clusterSelector -> metadata", "spec.rayClusterSpec", "Required"),
    (CANARIES, "RawDeployment -> Knative", "spec.canary", "only supported in Standard"),
    (CANARIES, "name: two, -> ", "canary[0].predictor.name", "Required"),
    (CANARIES, "name: two -> name: three", "canary[1].predictor.name", "Duplicate"),
    (CANARIES, "name: two -> name: one", "canary[0].predictor.name", "Duplicate"),
    (CANARIES, "trafficPercent: 10 -> trafficPercent: 20", "spec.canary", "add up to 110"),
    (CANARIES, "trafficPercent: 10 -> trafficPercent: -1", "canary[0].trafficPercent", ""),
    (CANARIES, "minReplicas: 2, sklearn -> minReplicas: 3, sklearn", "canary[1].predictor.minReplicas", "exceed"),
    (CANARIES, "minReplicas: 2, sklearn -> maxReplicas: 3, sklearn", "canary[1].predictor.maxReplicas", "fixed"),
    (CANARIES, "minReplicas: 2, sklearn -> scaleMetric: cpu, sklearn", "canary[1].predictor.scaleMetric", "fixed"),
    (CANARIES, 'sklearn: {name: kserve-container, storageUri: "s3://models/3"} -> timeout: 5', "canary[1]", "not 0"),
    (CANARIES, "minReplicas: 2, model -> minReplicas: 2, maxReplicas: 1, model", "spec.predictor.minReplicas", ""),
    (CANARIES, "name: iris -> name: 1ris", "metadata.name", "must match"),
    (OLD, "minReplicas: 0 -> minReplicas: -1", "spec.predictor.minReplicas", "greater than or equal to 0"),
    (OLD, "containerConcurrency: 4 -> containerConcurrency: -4", "spec.predictor.containerConcurrency", ""),
    (OLD, "mode: all -> mode: some", "spec.predictor.logger.mode", "Unsupported"),
    (OLD, "xgboost: -> triton: {storageUri: x}, xgboost:", "spec.predictor", "not 2"),
    (OLD, 'xgboost: {storageUri: "gs://models/1"}, -> ', "spec.predictor", "not 0"),
    (OLD, 'xgboost: {storageUri -> xgboost: {name: a, storageUri', "spec.predictor.xgboost.name", "not allowed"),
    (OLD, "xgboost: -> storageUris: [{uri: a, mountPath: /a}], xgboost:", "spec.predictor.storageUris", "both"),
    (OLD, "xgboost: -> storageUris: [{uri: a, mountPath: /a/../b}], xgboost:", "storageUris[0].mountPath", "absolute"),
    (OLD, "name: side, -> name: side, env: [{name: PYTHONPATH, value: /x}],", "containers[1].env[0].name", "PYTHON"),
    (OLD, 'containers: [{name: kserve-container, image: "example.org/t:1"}, {name: side, image: "example.org/s:1"}] -> '
     'timeout: 3', "spec.transformer", "not 0"),
    (OWN, 'transformer-container, -> transformer-container, env: [{name: STORAGE_URI, value: "s3://m"}],',
     "containers[1].env", "STORAGE_URI"),
    (OWN, "name: transformer-container -> name: kserve-container", "spec.predictor", "not 2"),
    (NODES, "autoscalerClass: none -> autoscalerClass: hpa", "metadata.annotations", "must be none"),
    (NODES, "autoscalerClass: none -> autoscalerClass: kpa", "metadata.annotations", "not a supported"),
    (NODES, "pvc:// -> s3://", "spec.predictor.model.storageUri", "pvc"),
    (NODES, "pipelineParallelSize: 2 -> pipelineParallelSize: 0", "workerSpec.pipelineParallelSize", ""),
    (NODES, "tensorParallelSize: 4 -> tensorParallelSize: -4", "workerSpec.tensorParallelSize", ""),
    (NODES, "{modelFormat -> {env: [{name: TENSOR_PARALLEL_SIZE, value: '2'}], modelFormat", "model.env[0].name", ""),
    (AB, "implementation: SKLEARN_SERVER -> implementation: UNKNOWN_IMPLEMENTATION", "children[0].name", "container"),
    (AB, ', modelUri: "s3://models/b" -> ', "graph.children[1].modelUri", "required"),
    (AB, "predictors: -> protocol: v3\n  predictors:", "spec.protocol", "Invalid protocol"),
    (SHADOW, "name: next -> name: main", "spec.predictors", "Duplicate predictor"),
    (SHADOW, "shadow: true -> shadow: false", "spec.predictors", "sum to 100"),
    (SHADOW, "traffic: 20 -> traffic: 120", "spec.predictors", "shadow traffic"),
    (SHADOW, "name: own, image -> name: other, image", "graph.name", "container"),
    (WEB, "{destination: {host: next}, weight: 3} -> {weight: 3}", "route[1].destination", "Required"),
    (WEB, "host: next -> host: 'a b'", "route[1].destination.host", "domain"),
    (WEB, "host: next -> host: '*'", "route[1].destination.host", "domain"),
    (WEB, "host: next -> host: next, subset: 'a b'", "route[1].destination.subset", "invalid"),
    (WEB, "host: next -> host: next, port: {number: 70000}", "destination.port.number", "range"),
    (WEB, "host: next -> host: next, port: {}", "destination.port.number", "range"),
    (WEB, "weight: 1} -> weight: 0}, {destination: {host: z}, weight: -3}", "http[0].route[1].weight", "negative"),
    (WEB, "weight: 1}, {destination: {host: next}, weight: 3 -> weight: 0}, {destination: {host: next}, weight: 0",
     "http[0].route", "weight = 0"),
    (WEB, '/v[12]/.* -> /v(12/.*', "match[0].uri.regex", "unterminated"),
    (WEB, '/v[12]/.* -> /v(?=2)', "match[0].uri.regex", "RE2"),
    (WEB, "prefix: a -> prefix: ''", "headers[x-user].prefix", "empty"),
    (WEB, "port: 80 -> port: 70000", "match[0].port", "range"),
    (WEB, "redirect: {uri: /new, redirectCode: 301} -> redirect: {}", "redirect", "must specify"),
    (WEB, "redirectCode: 301 -> redirectCode: 200", "redirect.redirectCode", "3xx"),
    (WEB, "redirect: {uri -> rewrite: {uri: /}, redirect: {uri", "http[1].rewrite", "both"),
    (WEB, "directResponse: -> route: [{destination: {host: web}}], directResponse:", "http[2].route", "both"),
    (WEB, "delegate: -> redirect: {uri: /}, delegate:", "http[3].redirect", "both"),
    (WEB, "value: 5 -> value: 105", "mirrors[0].percentage.value", "100"),
    (WEB, "destination: {host: shadow}, -> ", "mirrors[0].destination", "Required"),
    (WEB, "- mirrors: -> - mirror: {host: web}\n      mirrors:", "http[4].mirrors", "both"),
    (WEB, '["*.example.org", "10.0.0.1"] -> []', "spec.gateways", "delegate"),
    (ELASTIC, "Worker -> Master", "spec.pytorchReplicaSpecs[Worker]", "elastic policy"),
    (ELASTIC, "replicas: 2 -> replicas: 0", "pytorchReplicaSpecs[Worker].replicas", "at least 1"),
    (ELASTIC, "kueue.x-k8s.io/multikueue -> example.org/mine", "spec.runPolicy.managedBy", "Unsupported"),
    (MPI, "kind: ClusterTrainingRuntime -> kind: Runtime", "spec.runtimeRef", "unsupported runtime"),
    (MPI, "apiGroup: trainer.kubeflow.org -> apiGroup: example.org", "spec.runtimeRef", "unsupported runtime"),
    (MPI, "manager: example.org/placement -> manager: placement", "runtimePatches[0].manager", "domain-prefixed"),
    (MPI, "nodeSelector: {a: b} -> containers: [{name: node, env: [{name: A, value: b}]}]", "containers[0].env", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "field", "says"), REFUSED, ids=[f"{one[0][:6]}: {one[1]}" for one in REFUSED]
)
def test_what_a_webhook_refuses_is_told_with_its_field(name: str, change: str, field: str, says: str) -> None:
    problems = verdict_on(changed(name, change)).refused
    assert [one for one in problems if field in one.field and says in one.says], problems


@pytest.mark.parametrize(
    ("scaler", "said", "field"),
    [
        ("hpa", {"scaleMetric": "rps"}, "scaleMetric"),
        ("hpa", {"scaleTarget": 120}, "scaleTarget"),
        ("hpa", {"scaleTarget": 0}, "scaleTarget"),
        ("keda", {"scaleMetric": "cpu"}, "scaleMetric"),
        ("hpa", {"scaleMetric": "memory", "scaleTarget": 0}, ""),
        ("external", {"scaleMetric": "rps"}, ""),
        ("keda", {}, ""),
    ],
)
def test_what_scales_a_predictor_says_what_may_be_asked_of_it(scaler: str, said: dict[str, Any], field: str) -> None:
    manifest = yaml.safe_load(TAKEN[CANARIES])
    manifest["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] = scaler
    manifest["spec"]["predictor"] |= said
    assert [one.field for one in verdict_on(manifest).refused] == ([f"spec.predictor.{field}"] if field else [])


MODEL = "{modelFormat: {name: sklearn}, storageUri"
TERMS = "requiredDuringSchedulingIgnoredDuringExecution"
SCALED = "minReplicas: 2, autoScaling: {metrics: [{type: Resource, resource: {name: cpu, target: {value: 3}}}]}, model"


@pytest.mark.parametrize(
    "change",
    [
        f"{MODEL} -> {{storageUri",
        f"{MODEL} -> {{modelFormat: {{}}, storageUri",
        f"{MODEL} -> {{modelFormat: {{name: null}}, storageUri",
        f"{MODEL} -> {{env: [null], modelFormat: {{name: sklearn}}, storageUri",
        f"{MODEL} -> {{ports: [{{name: a}}], livenessProbe: {{httpGet: {{}}}}, modelFormat: {{name: x}}, storageUri",
        "minReplicas: 2, model -> volumes: [{emptyDir: {}}], tolerations: [null], minReplicas: 2, model",
        "name: two, model: {name: kserve-container, modelFormat: {name: sklearn}, -> name: two, model: {",
    ],
)
def test_what_kserve_s_webhook_fills_in_may_lack(change: str) -> None:
    verdict = verdict_on(changed(CANARIES, change))
    assert list(verdict.refused) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (f"minReplicas: 2, model -> {SCALED}", "metrics[0].resource.target.type"),
        ("minReplicas: 2, model -> autoScaling: {metrics: [{}]}, model", "autoScaling.metrics[0].type"),
        ("minReplicas: 2, model -> volumes: [{name: a, projected: {}}], model", "volumes[0].projected.sources"),
        (f"minReplicas: 2, model -> affinity: {{nodeAffinity: {{{TERMS}: {{}}}}}}, model", "nodeSelectorTerms"),
    ],
)  # fmt: skip
def test_what_kserve_s_webhook_writes_empty_is_refused_where_empty_is_no_value(change: str, field: str) -> None:
    problems = verdict_on(changed(CANARIES, change)).refused
    assert [one for one in problems if field in one.field], problems


def test_an_object_without_a_spec_is_refused_as_kserve_does() -> None:
    manifest = {**yaml.safe_load(TAKEN[CANARIES])}
    del manifest["spec"]
    assert [one.field for one in verdict_on(manifest).refused] == ["spec.predictor"]


def test_a_model_whose_format_has_no_name_is_advised_against() -> None:
    found = verdict_on(changed(CANARIES, f"{MODEL} -> {{storageUri"))
    assert [one.field for one in found.advised] == ["spec.predictor.model.modelFormat.name"]


def test_a_strategy_of_deployments_is_refused_where_knative_runs_the_pods() -> None:
    manifest = yaml.safe_load(TAKEN[OLD])
    manifest["spec"]["predictor"]["deploymentStrategy"] = {"type": "Recreate"}
    assert list(verdict_on(manifest).refused) == []
    manifest["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "Serverless"}
    assert [one.field for one in verdict_on(manifest).refused] == ["spec.predictor.deploymentStrategy"]


def test_a_star_for_the_mesh_is_refused_and_for_a_gateway_taken() -> None:
    gateway = changed(WEB, '"*.example.org" -> "*"')
    assert list(verdict_on(gateway).refused) == []
    for gateways in ([], ["mesh"], ["edge", "mesh"]):
        refused = verdict_on({**gateway, "spec": {**gateway["spec"], "gateways": gateways}}).refused
        assert [one for one in refused if one.field == "spec.hosts"], gateways


def test_variables_that_only_torch_sets_are_refused_there_and_advised_against_elsewhere() -> None:
    elsewhere = changed(MPI, "name: LR -> name: PET_NNODES")
    assert list(verdict_on(elsewhere).refused) == []
    assert "PET_NNODES" in str(verdict_on(elsewhere).advised[0])
    elsewhere["spec"]["runtimeRef"]["name"] = "torch-distributed"
    assert "PET_NNODES" in str(verdict_on(elsewhere).refused[0])


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        (ELASTIC, 'image: "example.org/t:1" -> image: a, imagePullPolicy: Never1', "containers[0].imagePullPolicy"),
        (ELASTIC, 'image: "example.org/t:1" -> image: a, resources: {limits: {gpu: 1}}', "resources.limits[gpu]"),
        (
            ELASTIC,
            'image: "example.org/t:1" -> image: a, volumeMounts: [{name: data, mountPath: /a}]',
            "volumeMounts[0]",
        ),
        (SHADOW, 'image: "example.org/m:1" -> image: a, ports: [{containerPort: 99999}]', "ports[0].containerPort"),
    ],
    ids=["pull policy", "device", "volume", "port"],
)
def test_an_object_whose_pods_would_be_refused_is_taken_and_advised_against(name: str, change: str, field: str) -> None:
    verdict = verdict_on(changed(name, change))
    assert list(verdict.refused) == []
    assert [one for one in verdict.advised if field in one.field and "pods would be refused" in one.says]


@pytest.mark.parametrize(
    ("job", "field"),
    [
        (
            {"kind": "Job", "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}}},
            "restartPolicy",
        ),
        (
            {
                "kind": "Job",
                "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "A", "image": "b"}]}}},
            },
            "containers[0].name",
        ),
    ],
    ids=["restart policy", "name"],
)
def test_a_trial_whose_pods_would_be_refused_is_advised_against(job: dict[str, Any], field: str) -> None:
    verdict = verdict_on(experiment({"apiVersion": "batch/v1", **job}))
    assert list(verdict.refused) == []
    assert [one for one in verdict.advised if one.field.endswith(field)], verdict.advised


def experiment(trial: dict[str, Any]) -> dict[str, Any]:
    """A study of one parameter, which the trial's container is told."""
    trial["spec"]["template"]["spec"]["containers"][0]["args"] = ["--lr=${trialParameters.lr}"]
    study = valid()
    study["spec"]["parameters"] = study["spec"]["parameters"][:1]
    study["spec"]["trialTemplate"] = {
        "primaryContainerName": "a",
        "trialParameters": [{"name": "lr", "reference": "lr"}],
        "trialSpec": trial,
    }
    return study


@pytest.mark.parametrize("name", TAKEN)
def test_any_change_of_an_object_gets_a_verdict(name: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(mutated(st.just(OBJECTS[name])))
    def judged_or_raised(value: dict[str, Any]) -> None:
        verdict_on(value)

    judged_or_raised()
