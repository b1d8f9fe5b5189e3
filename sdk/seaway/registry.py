"""The one table of ports and of the backends that carry them out, ours and those of other wheels.

A backend is one file, or one room, and one line of `BACKENDS`. Somebody else's wheel names its own under the entry
point group `seaway.backends`, as `trainer.local.mine = "package.module:Adapter"`: the port as on the command line, a
place or `anywhere`, the backend's name. What is taken where is `seaway.platforms`' to say. No backend is imported here,
so this is below everything that asks it: the command line, the linter's layers, the RBAC rules, the docs' tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from seaway.errors import InvalidSpec
from seaway.extras import advice

PLACES = (LOCAL, KUBERNETES) = ("local", "kubernetes")
ANYWHERE = "anywhere"
GROUP = "seaway.backends"


@dataclass(frozen=True)
class Port:
    """What a capability leaves to a backend.

    Attributes:
        name: of the Protocol.
        room: the package that has it.
        does: what a backend must do.
        follows: the port whose backend says where this one's is.
        by_scheme: whether a URI's scheme says which backend it is, and no setting.
        by_model: whether each model says which backend it is, and no setting.
        by_command: whether a command is given it by name, and there is no setting.
        by_cluster: whether, where nothing is set, what a cluster has says which of its backends is taken there.
    """

    name: str
    room: str
    does: str
    follows: str = ""
    by_scheme: bool = False
    by_model: bool = False
    by_command: bool = False
    by_cluster: bool = False

    @property
    def by_setting(self) -> bool:
        """Whether an installation or a run says which backend is taken."""
        return not (self.by_scheme or self.by_model or self.by_command)

    @property
    def option(self) -> str:
        """How it is written on the command line: `traffic-metrics` for TrafficMetrics."""
        return re.sub("(?<=[a-z])(?=[A-Z])", "-", self.name).lower()

    @property
    def variable(self) -> str:
        """The variable that names the backend which an installation uses."""
        return f"SEAWAY_{self.option.upper().replace('-', '_')}"


@dataclass(frozen=True)
class Backend:
    """An adapter of one port, called without arguments, and where it can be used."""

    port: str
    name: str
    place: str
    adapter: str

    def load(self) -> Any:
        """What makes the adapter.

        Raises:
            InvalidSpec: it cannot be imported; the message names the package that is missing.
        """
        try:
            return EntryPoint(self.name, self.adapter, GROUP).load()
        except (ImportError, AttributeError) as error:
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            what_to_do = advice(missing) or "Install what it needs."
            raise InvalidSpec(
                f"The {self.port} backend {self.name} ({self.adapter}) cannot be loaded: {error}. {what_to_do}"
            ) from error


PORTS = {
    port.name: port
    for port in (
        Port("Trainer", "seaway.training", "run a `torch.distributed` module on N workers", by_cluster=True),
        Port("Tuner", "seaway.tuning", "try params of a training within a budget, several at once, and give the best"),
        Port("Endpoint", "seaway.serving", "serve a stable and a candidate model package"),
        Port("ModelServer", "seaway.model_server", "answer requests to one model package"),
        Port("BatchPredictor", "seaway.serving.batch", "predict many rows by a model package"),
        Port(
            "Traffic",
            "seaway.rollout",
            "split requests by weight, and say when they follow",
            "Endpoint",
            by_cluster=True,
        ),
        Port("TrafficMetrics", "seaway.monitoring", "count requests, errors and latencies of each arm", "Endpoint"),
        Port("ServiceGraph", "seaway.monitoring", "tell who calls an endpoint", "Endpoint"),
        Port("RolloutStore", "seaway.rollout", "keep a rollout's journal between its processes", "Endpoint"),
        Port("ModelRegistry", "seaway.models", "keep runs, model versions and which is in production"),
        Port("Approvals", "seaway.approvals", "ask people for leave in the middle of a run, and hear who gave it"),
        Port("Storage", "seaway.storage", "move files and folders by URI", by_scheme=True),
        Port("Task", "seaway.tasks", "say what it means to predict a label: loss, figures, losses", by_model=True),
        Port("Flavour", "seaway.models.flavours", "say what a model is on disk and how it answers", by_model=True),
        Port("Preprocessing", "seaway.models.preprocessing", "make a tensor of a picture or a text", by_model=True),
        Port("LabelQueue", "seaway.labeling", "show items to people, and keep what they answer"),
        Port("EdgeTarget", "seaway.edge", "convert a model for devices, and answer by their runtime", by_model=True),
        Port("RunIdentity", "seaway.platforms.home", "name the run that a process is a step of"),
        Port("Exporter", "seaway.exports", "write a pipeline for another orchestrator", by_command=True),
        Port("RunRecords", "seaway.reporting", "tell how the steps of a run went"),
    )
}

# The first backend of a port and place is its default there; of a port that is `by_cluster`, the first that the cluster
# has what it takes for.
BACKENDS = (
    Backend("Trainer", "torchrun", LOCAL, "seaway.platforms.local.training.torchrun:TorchrunTrainer"),
    Backend("Trainer", "trainjob", KUBERNETES, "seaway.platforms.kubernetes.training.trainer:TrainJobTrainer"),
    Backend("Trainer", "pytorchjob", KUBERNETES, "seaway.platforms.kubernetes.training.trainer:PyTorchJobTrainer"),
    Backend("Trainer", "rayjob", KUBERNETES, "seaway.platforms.kubernetes.training.trainer:RayJobTrainer"),
    Backend("Trainer", "slurm", LOCAL, "seaway.platforms.slurm.trainer:SlurmTrainer"),
    Backend("Trainer", "ray", LOCAL, "seaway.platforms.ray.trainer:RayTrainer"),
    Backend("Tuner", "optuna", LOCAL, "seaway.platforms.local.tuning.optuna:OptunaTuner"),
    Backend("Tuner", "slurm", LOCAL, "seaway.platforms.local.tuning.batch_jobs:SlurmTuner"),
    Backend("Tuner", "ray", LOCAL, "seaway.platforms.local.tuning.batch_jobs:RayTuner"),
    Backend("Tuner", "katib", KUBERNETES, "seaway.platforms.kubernetes.tuning.katib:KatibTuner"),
    Backend("Endpoint", "process", LOCAL, "seaway.platforms.local.serving.endpoint:LocalEndpoint"),
    Backend("Endpoint", "seldondeployment", KUBERNETES, "seaway.platforms.kubernetes.serving.seldon:endpoint"),
    Backend("Endpoint", "inferenceservice", KUBERNETES, "seaway.platforms.kubernetes.serving.kserve:endpoint"),
    Backend("Endpoint", "deployment", KUBERNETES, "seaway.platforms.kubernetes.serving.deployment:endpoint"),
    Backend("ModelServer", "uvicorn", ANYWHERE, "seaway.model_server.uvicorn.server:UvicornServer"),
    Backend("ModelServer", "kserve", ANYWHERE, "seaway.model_server.kserve.server:KServeServer"),
    Backend("ModelServer", "mlserver", ANYWHERE, "seaway.model_server.mlserver.server:MLServerServer"),
    Backend("ModelServer", "torchserve", ANYWHERE, "seaway.model_server.torchserve.server:TorchServe"),
    Backend("BatchPredictor", "process", ANYWHERE, "seaway.serving.batch.predict:InProcess"),
    Backend("BatchPredictor", "job", KUBERNETES, "seaway.platforms.kubernetes.serving.batch:JobPredictor"),
    Backend("Traffic", "envoy", LOCAL, "seaway.platforms.local.serving.traffic:EnvoyTraffic"),
    Backend("Traffic", "gateway-api", KUBERNETES, "seaway.platforms.kubernetes.traffic.gateway_api:GatewayApiTraffic"),
    Backend("Traffic", "istio", KUBERNETES, "seaway.platforms.kubernetes.traffic.istio:IstioTraffic"),
    Backend("Traffic", "seldon", KUBERNETES, "seaway.platforms.kubernetes.traffic.seldon:SeldonTraffic"),
    Backend("TrafficMetrics", "envoy", LOCAL, "seaway.platforms.local.serving.traffic:EnvoyMetrics"),
    Backend("TrafficMetrics", "prometheus", KUBERNETES, "seaway.platforms.kubernetes.metrics.prometheus:PrometheusMetrics"),  # noqa: E501
    Backend("TrafficMetrics", "gateway", KUBERNETES, "seaway.platforms.kubernetes.metrics.gateway_stats:GatewayMetrics"),  # noqa: E501
    Backend("ServiceGraph", "none", LOCAL, "seaway.platforms.local.serving.no_service_graph:NoServiceGraph"),
    Backend("ServiceGraph", "kiali", KUBERNETES, "seaway.platforms.kubernetes.metrics.kiali:KialiServiceGraph"),
    Backend("RolloutStore", "file", LOCAL, "seaway.platforms.local.serving.rollout_state:FileRolloutStore"),
    Backend("RolloutStore", "configmap", KUBERNETES, "seaway.platforms.kubernetes.traffic.rollout_state:ConfigMapRolloutStore"),  # noqa: E501
    Backend("ModelRegistry", "mlflow", ANYWHERE, "seaway.platforms.mlflow:MlflowRegistry"),  # by MLFLOW_TRACKING_URI
    Backend("ModelRegistry", "hub", ANYWHERE, "seaway.platforms.hub.registry:HubRegistry"),  # by SEAWAY_HUB_URI
    Backend("Approvals", "file", LOCAL, "seaway.platforms.local.approvals:FileApprovals"),
    Backend("Approvals", "configmap", KUBERNETES, "seaway.platforms.kubernetes.jobs.approvals:ConfigMapApprovals"),
    Backend("Storage", "file", ANYWHERE, "seaway.storage.folder:FolderStorage"),
    Backend("Storage", "s3", ANYWHERE, "seaway.platforms.s3.storage:s3"),
    Backend("Storage", "minio", ANYWHERE, "seaway.platforms.s3.storage:kubeflow"),
    Backend("Task", "binary", ANYWHERE, "seaway.tasks.binary:Binary"),
    Backend("Task", "multiclass", ANYWHERE, "seaway.tasks.multiclass:Multiclass"),
    Backend("Task", "multilabel", ANYWHERE, "seaway.tasks.multilabel:Multilabel"),
    Backend("Task", "regression", ANYWHERE, "seaway.tasks.regression:Regression"),
    Backend("Task", "quantile", ANYWHERE, "seaway.tasks.quantile:Quantile"),
    Backend("Flavour", "torch_export", ANYWHERE, "seaway.models.flavours.torch_export:TorchExport"),
    Backend("Flavour", "onnx", ANYWHERE, "seaway.models.flavours.onnx:Onnx"),
    Backend("Flavour", "torchscript", ANYWHERE, "seaway.models.flavours.torchscript:TorchScript"),
    Backend("Flavour", "sklearn", ANYWHERE, "seaway.models.flavours.sklearn:Sklearn"),
    Backend("Flavour", "xgboost", ANYWHERE, "seaway.models.flavours.xgboost:XGBoost"),
    Backend("Flavour", "lightgbm", ANYWHERE, "seaway.models.flavours.lightgbm:LightGBM"),
    Backend("Preprocessing", "image", ANYWHERE, "seaway.models.preprocessing.image:Image"),
    Backend("Preprocessing", "text", ANYWHERE, "seaway.models.preprocessing.text:Text"),
    Backend("LabelQueue", "folder", ANYWHERE, "seaway.platforms.labeling.folder:FolderQueue"),  # by SEAWAY_LABELS
    Backend("LabelQueue", "label-studio", ANYWHERE, "seaway.platforms.labeling.label_studio:LabelStudioQueue"),
    Backend("EdgeTarget", "onnxruntime", ANYWHERE, "seaway.edge.targets.onnxruntime:OnnxRuntime"),
    Backend("EdgeTarget", "openvino", ANYWHERE, "seaway.edge.targets.openvino:OpenVino"),
    Backend("EdgeTarget", "executorch", ANYWHERE, "seaway.edge.targets.executorch:ExecuTorch"),
    Backend("EdgeTarget", "coreml", ANYWHERE, "seaway.edge.targets.coreml:CoreMl"),
    Backend("EdgeTarget", "ncnn", ANYWHERE, "seaway.edge.targets.ncnn:Ncnn"),
    Backend("Exporter", "airflow", ANYWHERE, "seaway.exports.airflow:Airflow"),
    Backend("Exporter", "argo", ANYWHERE, "seaway.exports.argo:Argo"),
    Backend("Exporter", "argo-events", ANYWHERE, "seaway.exports.argo_events:ArgoEvents"),
    Backend("Exporter", "luigi", ANYWHERE, "seaway.exports.luigi:Luigi"),
    Backend("Exporter", "make", ANYWHERE, "seaway.exports.make:Make"),
    Backend("Exporter", "sagemaker", ANYWHERE, "seaway.exports.sagemaker:SageMaker"),
    Backend("Exporter", "slurm", ANYWHERE, "seaway.exports.slurm:SlurmJobs"),
    Backend("Exporter", "vertex", ANYWHERE, "seaway.exports.vertex:Vertex"),
    Backend("RunIdentity", "manual", LOCAL, "seaway.platforms.home:ManualRun"),
    Backend("RunIdentity", "pod", KUBERNETES, "seaway.platforms.kubernetes.client.ownership:PodRun"),
    Backend("RunRecords", "file", LOCAL, "seaway.platforms.local.run_records:FileRecords"),
    Backend("RunRecords", "pods", KUBERNETES, "seaway.platforms.kubernetes.jobs.run_records:PodRecords"),
)  # fmt: skip


def port(name: str) -> Port:
    """The port of that name, in any case or as on the command line.

    Raises:
        InvalidSpec: there is none; the message lists those that there are.
    """
    wanted = name.replace("_", "-").lower()
    found = next((one for one in PORTS.values() if wanted in (one.option, one.name.lower())), None)
    if found is None:
        options = ", ".join(sorted(one.option for one in PORTS.values()))
        raise InvalidSpec(f"There is no port {name!r}; there are: {options}.")
    return found


def backends(name: str, *places: str) -> dict[str, Backend]:
    """The backends of a port by name, those of the table first; where places are named, those that can be used there.

    Raises:
        InvalidSpec: a wheel's entry point is not of the form that is asked for, or takes a name that is taken.
    """
    every = (*BACKENDS, *installed())
    return {one.name: one for one in every if one.port == name and (not places or one.place in (*places, ANYWHERE))}


def find(name: str, backend: str) -> Backend:
    """The backend of a port.

    Raises:
        InvalidSpec: there is none; the message lists those that there are.
    """
    ours = next((one for one in BACKENDS if (one.port, one.name) == (name, backend)), None)
    found = ours or backends(name).get(backend)
    if found is None:
        raise InvalidSpec(f"No {name} backend {backend!r}; there are: {', '.join(sorted(backends(name)))}.")
    return found


def default(name: str, place: str) -> str | None:
    """The backend that a port has at a place where nothing else is said."""
    return next((one.name for one in BACKENDS if one.port == name and one.place in (place, ANYWHERE)), None)


def candidates(name: str, place: str) -> tuple[Backend, ...]:
    """The backends of a port among which `auto` chooses at a place, the first that can be used there first."""
    ours = [one for one in BACKENDS if one.port == name and one.place in (place, ANYWHERE)]
    return tuple(ours if PORTS[name].by_cluster and place == KUBERNETES else ours[:1])


@cache
def installed() -> tuple[Backend, ...]:
    """The backends of other wheels in this environment.

    Raises:
        InvalidSpec: as `backends`.
    """
    found = tuple(_of_wheel(entry) for entry in entry_points(group=GROUP))
    taken: Mapping[tuple[str, str], Backend] = {(one.port, one.name): one for one in BACKENDS}
    for one in found:
        if (one.port, one.name) in taken:
            raise InvalidSpec(
                f"{one.adapter} names itself {one.name}, as Seaway's own {one.port} backend; ask its authors for "
                "a name of its own."
            )
    return found


def _of_wheel(entry: EntryPoint) -> Backend:
    parts = entry.name.split(".")
    if len(parts) != len(("port", "place", "name")) or parts[1] not in (*PLACES, ANYWHERE):
        wheel = entry.dist.name if entry.dist else "an installed wheel"
        raise InvalidSpec(
            f"Entry point {entry.name!r} of {wheel} is not PORT.PLACE.NAME, as trainer.local.mine; places are "
            f"{', '.join(PLACES)} and {ANYWHERE}."
        )
    return Backend(port(parts[0]).name, parts[2], parts[1], entry.value)
