"""Seldon Core 1's operator and its webhook, played fault for fault as 1.17.1 was seen to behave.

It writes a SeldonDeployment's VirtualService only while all Deployments of all predictors are ready; it sends gRPC to
9500 unless a port of the container is called `grpc`; its budgets select the pods of all predictors; what it makes it
names as the real one does. The API server, its admission and its kinds of writes are real.
"""

import base64
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

import fake_istio
import fake_workloads as workloads
import http_server
import trustme
from fake_workloads import Operator, Workloads
from kubernetes import client
from kubernetes.client import ApiException
from seaway.errors import AdmissionRefused, SeawayError
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, SERVICES, Resource
from seaway.platforms.kubernetes.serving.workload import BUDGETS
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS
from urllib3.exceptions import ProtocolError

ID, APP = "seldon-deployment-id", "seldon-app"
HTTP, GRPC = 9000, 9500  # where a container's ports are not called so
WEBHOOK = "v1.vseldondeployment.kb.io"
PROTOCOLS = {"", "seldon", "tensorflow", "kfserving", "v2"}
KINDS = (SELDON_DEPLOYMENTS, VIRTUAL_SERVICES, DESTINATION_RULES)  # that the API server has to know
ORCHESTRATED = {"SIMPLE_MODEL", "SIMPLE_ROUTER", "RANDOM_ABTEST", "AVERAGE_COMBINER"}
IN_FORCE_S = 30.0


class SeldonOperator(Operator):
    """Reconciles the SeldonDeployments of a namespace."""

    resource = SELDON_DEPLOYMENTS

    def take(self, found: dict[str, Any]) -> None:
        parts = [Part(found, predictor) for predictor in found["spec"]["predictors"]]
        for part in parts:
            for service in part.services():
                self.make(found, SERVICES, service)
            self.make(found, DEPLOYMENTS, part.deployment())
            if budget := part.budget():
                self.make(found, BUDGETS, budget)
            else:
                self.writer.end(BUDGETS, part.workload)
        if ready := all(self.is_ready(part.workload) for part in parts):
            self.make(found, VIRTUAL_SERVICES, virtual_service(found, parts))
            for part in parts:
                self.make(found, DESTINATION_RULES, part.destination_rule())
            self.clean({part.workload for part in parts})
        told = {"state": "Available" if ready else "Creating"}
        if found.get("status") != told:
            item = {"apiVersion": SELDON_DEPLOYMENTS.api_version, "kind": SELDON_DEPLOYMENTS.kind, **found}
            workloads.set_status(self.objects, item, SELDON_DEPLOYMENTS, told)

    def make(self, owner: dict[str, Any], resource: Resource, manifest: dict[str, Any]) -> None:
        metadata = owner["metadata"]
        reference = {"apiVersion": SELDON_DEPLOYMENTS.api_version, "kind": SELDON_DEPLOYMENTS.kind}
        reference |= {"name": metadata["name"], "uid": metadata["uid"], "controller": True, "blockOwnerDeletion": True}
        marks = {"labels": {ID: metadata["name"]}, **manifest["metadata"], "ownerReferences": [reference]}
        whole = {"apiVersion": resource.api_version, "kind": resource.kind, **manifest, "metadata": marks}
        self.writer.apply(resource, whole)

    def is_ready(self, workload: str) -> bool:
        found = self.objects.get(DEPLOYMENTS, workload) or {}
        status = found.get("status", {})
        current = status.get("observedGeneration") == found.get("metadata", {}).get("generation")
        whole = status.get("updatedReplicas", 0) >= found["spec"].get("replicas", 1)
        return current and whole and bool(status.get("readyReplicas")) and not status.get("unavailableReplicas")

    def clean(self, kept: set[str]) -> None:
        """Deployments that are wanted no more, with their budgets; their Services stay a while."""
        for name in {name for resource, name in self.writer.written if resource == DEPLOYMENTS} - kept:
            self.writer.end(DEPLOYMENTS, name)
            self.writer.end(BUDGETS, name)


@dataclass
class Part:
    """What is made of one predictor without an orchestrator."""

    owner: dict[str, Any]
    predictor: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.owner['metadata']['name']}-{self.predictor['name']}"

    @property
    def component(self) -> dict[str, Any]:
        [component] = self.predictor["componentSpecs"]
        return component

    @property
    def container(self) -> dict[str, Any]:
        [container] = self.component["spec"]["containers"]
        return container

    @property
    def workload(self) -> str:
        return f"{self.name}-0-{self.container['name']}"

    def port(self, name: str, otherwise: int) -> int:
        """Whatever the graph's endpoint says."""
        return next((one["containerPort"] for one in self.container["ports"] if one.get("name") == name), otherwise)

    def services(self) -> Iterator[dict[str, Any]]:
        numbers = {"http": self.port("http", HTTP), "grpc": self.port("grpc", GRPC)}
        ports = [{"name": name, "port": number, "targetPort": number} for name, number in numbers.items()]
        for name in (self.name, f"{self.name}-{self.container['name']}"):
            yield {"metadata": {"name": name}, "spec": {"selector": {APP: self.name}, "ports": ports}}

    def deployment(self) -> dict[str, Any]:
        shadow = {"shadow": "true"} if self.predictor.get("shadow") else {}
        given = self.component.get("metadata", {}).get("labels", {})
        labels = {ID: self.owner["metadata"]["name"], APP: self.name, "version": self.predictor["name"], **given}
        template = {"metadata": {"labels": {**labels, **shadow}}, "spec": self.component["spec"]}
        selector = {"matchLabels": {APP: self.name}}
        spec = {"replicas": self.component.get("replicas", 1), "selector": selector, "template": template}
        return {"metadata": {"name": self.workload, "labels": labels}, "spec": spec}

    def budget(self) -> dict[str, Any] | None:
        if "pdbSpec" not in self.component:
            return None
        selector = {"matchLabels": {ID: self.owner["metadata"]["name"]}}
        return {"metadata": {"name": self.workload}, "spec": {**self.component["pdbSpec"], "selector": selector}}

    def destination(self, port: int) -> dict[str, Any]:
        return {"host": self.name, "subset": self.predictor["name"], "port": {"number": port}}

    def destination_rule(self) -> dict[str, Any]:
        subset = {"name": self.predictor["name"], "labels": {"version": self.predictor["name"]}}
        return {"metadata": {"name": self.name}, "spec": {"host": self.name, "subsets": [subset]}}


def virtual_service(owner: dict[str, Any], parts: list[Part]) -> dict[str, Any]:
    name, namespace = owner["metadata"]["name"], owner["metadata"]["namespace"]
    annotations = owner["metadata"].get("annotations", {})
    prefix = {"uri": {"prefix": f"/seldon/{namespace}/{name}/"}}
    remote = {"uri": {"regex": ".*tensorflow.*|.*seldon.protos.*|.*inference.*"}}
    remote["headers"] = {"seldon": {"exact": name}, "namespace": {"exact": namespace}}
    http = [
        {"match": [prefix], "rewrite": {"uri": "/"}, **routed(parts, "http", HTTP)},
        {"match": [remote], **routed(parts, "grpc", GRPC)},
    ]
    hosts = [annotations.get("seldon.io/istio-host", "*")]
    gateways = [annotations.get("seldon.io/istio-gateway", "seldon-gateway")]
    return {"metadata": {"name": name}, "spec": {"hosts": hosts, "gateways": gateways, "http": http}}


def routed(parts: list[Part], port: str, otherwise: int) -> dict[str, Any]:
    """A shadow is a mirror, all others destinations."""
    route: dict[str, Any] = {"route": []}
    for part in parts:
        target, traffic = part.destination(part.port(port, otherwise)), part.predictor.get("traffic", 0)
        if not part.predictor.get("shadow"):
            route["route"].append({"destination": target, "weight": traffic})
            continue
        route["mirror"] = target
        if traffic:
            route["mirrorPercentage"] = {"value": traffic}
    return route


def refusal(spec: dict[str, Any]) -> str:
    """What the webhook says to a spec; empty where it takes it."""
    predictors = spec.get("predictors") or []
    lit = [one for one in predictors if not one.get("shadow")]
    shares = sum(one.get("traffic", 0) for one in lit)
    said = []
    if spec.get("protocol", "") not in PROTOCOLS:
        said.append("Invalid protocol")
    if len(predictors) == 1 and not lit:
        said.append("Shadow can not exist as only predictor")
    if len(predictors) - len(lit) > 1:
        said.append("Multiple shadows are not allowed")
    if any(one.get("traffic", 0) > 100 for one in predictors if one not in lit):
        said.append("shadow traffic is illegal, the traffic number should be between [0, 100]")
    if len(lit) > 1 and shares != 100:
        said.append("Traffic must sum to 100 for multiple predictors")
    if len(predictors) == 1 and 0 < shares < 100:
        said.append("Traffic must sum be 100 for a single predictor when set")
    if len({one["name"] for one in predictors}) < len(predictors):
        said.append("Duplicate predictor name")
    nodes = [(one, node) for one in predictors for node in flat(one["graph"])]
    if len({node["endpoint"]["type"] for _, node in nodes if node.get("endpoint", {}).get("type")}) > 1:
        said.append("Multiple endpoint.types found - can only have 1 type in graph. Please use spec.transport")
    if any("seldon.io/no-engine" in one.get("annotations", {}) and one["graph"].get("children") for one in predictors):
        said.append("Running without engine only valid for single element graphs")
    return "; ".join([*said, *(fault for one, node in nodes if (fault := fault_of(one, node)))])


def flat(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(below for child in node.get("children", ()) for below in flat(child))]


def fault_of(predictor: dict[str, Any], node: dict[str, Any]) -> str:
    implementation = node.get("implementation")
    if implementation in ORCHESTRATED:
        return ""
    if implementation:
        return "" if node.get("modelUri") else "Predictive unit modelUri required when using standalone servers"
    specs = [component["spec"] for component in predictor.get("componentSpecs", ())]
    known = {container["name"] for spec in specs for container in spec["containers"]}
    return "" if node["name"] in known else "Can't find container for Predictive Unit"


class Webhook(BaseHTTPRequestHandler):
    """Answers AdmissionReviews."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = refusal(review["request"]["object"]["spec"])
        answer: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": not said}
        if said:
            answer["status"] = {"code": 422, "reason": "Invalid", "message": said}
        body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@dataclass(frozen=True)
class AtWork:
    """A namespace in which everything runs."""

    workloads: Workloads
    istio: fake_istio.Istio


@contextmanager
def at_work(objects: Objects) -> Iterator[AtWork]:
    """Operator, webhook, pods and gateway."""
    with ExitStack() as stack:
        istio, pods = stack.enter_context(fake_istio.serving(objects)), Workloads(objects)
        for part in (validating(objects), pods.played(), SeldonOperator(objects).played()):
            stack.enter_context(part)
        yield AtWork(pods, istio)


@contextmanager
def validating(objects: Objects) -> Iterator[None]:
    """The webhook, in force for one namespace."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with http_server.serving(Webhook, context) as server, registered(objects, http_server.url(server), authority):
        yield


@contextmanager
def silent(objects: Objects) -> Iterator[None]:
    """The webhook of an operator that is down: connections are taken and nobody ever answers."""
    ended = Event()

    class Nobody(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            ended.wait()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with http_server.serving(Nobody, context) as server:
        try:
            with registered(objects, http_server.url(server), authority, await_it=False):
                await_hanging(objects)
                yield
        finally:
            ended.set()


@contextmanager
def registered(objects: Objects, url: str, authority: trustme.CA, *, await_it: bool = True) -> Iterator[None]:
    """A ValidatingWebhookConfiguration as the operator's chart makes it, for one namespace."""
    api = client.AdmissionregistrationV1Api(objects.connection.requests)
    name = f"seldon-validating-webhook-configuration-{objects.namespace}{'' if await_it else '-down'}"
    bundle = base64.b64encode(authority.cert_pem.bytes()).decode()
    rule = {"apiGroups": [SELDON_DEPLOYMENTS.group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"]}
    hook = {
        "name": WEBHOOK,
        "clientConfig": {"url": f"{url}/validate-machinelearning-seldon-io-v1-seldondeployment", "caBundle": bundle},
        "rules": [{**rule, "resources": [SELDON_DEPLOYMENTS.plural]}],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 30,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": objects.namespace}},
    }
    api.create_validating_webhook_configuration({"metadata": {"name": name}, "webhooks": [hook]})
    try:
        if await_it:
            await_in_force(objects)
        yield
    finally:
        api.delete_validating_webhook_configuration(name)


def await_hanging(objects: Objects) -> None:
    """Until a write takes longer than a second."""
    path, wanted = SELDON_DEPLOYMENTS.path(objects.namespace), {"timeout": "1s", "dryRun": "All"}
    manifest = {"apiVersion": SELDON_DEPLOYMENTS.api_version, "kind": SELDON_DEPLOYMENTS.kind}
    manifest |= {"metadata": {"name": "wrong"}, "spec": {"predictors": []}}
    deadline = time.monotonic() + IN_FORCE_S
    while True:
        try:
            objects.connection.request("POST", path, wanted, manifest, "application/json")
        except ApiException as error:
            if error.status == 504:
                return
        except ProtocolError:  # it may also just hang up on who waited too long
            return
        assert time.monotonic() < deadline, "the webhook is not in force"
        time.sleep(0.05)


def await_in_force(objects: Objects) -> None:
    wrong = {"name": "wrong", "shadow": True, "graph": {"name": "m", "implementation": "SIMPLE_MODEL"}}
    manifest = {"apiVersion": SELDON_DEPLOYMENTS.api_version, "kind": SELDON_DEPLOYMENTS.kind}
    manifest |= {"metadata": {"name": "wrong"}, "spec": {"predictors": [wrong]}}
    deadline = time.monotonic() + IN_FORCE_S
    while True:
        try:
            objects.create(SELDON_DEPLOYMENTS, manifest, dry_run=True)
        except AdmissionRefused:
            return
        except SeawayError as error:
            assert time.monotonic() < deadline, error
        assert time.monotonic() < deadline, "the webhook is not in force"
        time.sleep(0.05)
