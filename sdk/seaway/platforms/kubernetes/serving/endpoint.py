"""Endpoints of a namespace: their record, their arms, promotion and rollback without a lost request.

An endpoint outlives the runs that bring models to it. A run finds the model that serves, brings its candidate beside
it, and is in charge until the candidate was promoted or has gone. What a killed step has left is found by its labels.

The environment says where: `SEAWAY_STORAGE` is the URI that packages are kept under, `SEAWAY_SERVER_IMAGE` the pods'
image, `SEAWAY_HOSTING` a file with the cluster's settings for `Hosting`, `SEAWAY_NAMESPACE` the namespace where it is
not the context's, `SEAWAY_GATEWAY_URL` the gateway that splits traffic; without one the endpoint's URL is that of its
stable Service, and a candidate gets no traffic.
"""

import logging
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seaway import platforms, registry
from seaway.errors import AdmissionRefused, EndpointFailed, InvalidSpec, NameTaken, PodsStuck, SeawayError, TimedOut
from seaway.model_server.arm import RemoteArm
from seaway.model_server.port import ModelServer
from seaway.models import carry_evidence, verify, verifying_key
from seaway.platforms.home import home, keys
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import APPLIED, Permission
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, DEPLOYMENTS, SERVICES, Manifest
from seaway.platforms.kubernetes.jobs.wait import Patience
from seaway.platforms.kubernetes.serving.endpoint_slices import SLICES
from seaway.platforms.kubernetes.serving.hosting import Hosting, hosting
from seaway.platforms.kubernetes.serving.reconciler import SECRETS, Reconciler
from seaway.platforms.kubernetes.serving.record import Record, Records
from seaway.platforms.kubernetes.serving.server_pod import SECRET
from seaway.platforms.kubernetes.serving.workload import SERVICE_PORT, Served, Weights, Workload
from seaway.platforms.kubernetes.traffic.gateway import await_answers
from seaway.rollout import ALL_STABLE, Traffic
from seaway.serving import Arm, DeployedEndpoint, Endpoint, EndpointSpec
from seaway.serving.port import AUTO, VERSION_DIGITS
from seaway.signals import sigterm_raises
from seaway.storage import storage_for, write_private

ALL_CANDIDATE = {"stable": 0, "candidate": 100}  # per cent
PERMISSIONS = (
    Permission(CONFIG_MAPS, APPLIED, "record: what an endpoint is, and which run is in charge of it"),
    Permission(SECRETS, ("create",), "reconciler: the endpoints' bearer tokens"),
    Permission(SECRETS, ("get", "patch"), "reconciler: a token, made once", (SECRET,)),
    Permission(SERVICES, APPLIED, "reconciler: an arm's Service, led to the version that it is"),
    Permission(DEPLOYMENTS, ("list", "watch"), "readiness: why an operator's Deployment cannot make its pods"),
    Permission(SLICES, ("list", "watch"), "endpoint_slices: whether a Service leads to one version only"),
)
log = logging.getLogger(__name__)


class KubernetesEndpoint:
    """Keeps endpoints in one namespace.

    Args:
        workload: runs endpoints that are new; one that is there keeps its own.
        connection: to the namespace; by default this process's.
        patience: with what may pass by itself.
    """

    def __init__(
        self, workload: Workload, connection: Connection | None = None, patience: Patience | None = None
    ) -> None:
        self._workload, self._patience = workload, patience or Patience()
        self._objects = Objects(connection or connect(os.environ.get("SEAWAY_NAMESPACE")))
        self._records = Records(self._objects)

    def deploy(self, spec: EndpointSpec) -> DeployedEndpoint:
        """Bring the spec's packages to the endpoint, all traffic on stable; a model that serves already is untouched.

        Raises:
            InvalidSpec: the spec has a certificate, which here is the gateway's.
            PackageRefused: a package does not verify, here or in its pod.
            NameTaken: another run's candidate is beside stable, or an object belongs to somebody else.
            EndpointFailed: the pods do not come to answer; what this call has made is gone.
            AdmissionRefused, QuotaExceeded, KindMissing, OperatorMissing, Forbidden, ServerGone: see `launch`.
        """
        if spec.tls:
            raise InvalidSpec(
                f"Endpoint {spec.name} of a cluster has no certificate of its own: give {spec.tls.certificate} to the "
                "gateway, as docs/how-to/serve-by-tls.md says."
            )
        found = self._records.find(spec.name)
        before = Record.of(found) if found else None
        self._require_free(spec, before)
        record, written = self._wanted(spec, before), None
        with sigterm_raises() as termination:
            try:
                with termination.deferred():
                    written = self._records.write(found, record) if found else self._records.create(record)
                record = self._serving(record, written)
            except BaseException as error:
                with termination.ignored():
                    if written:
                        self._undo(record, before, error)
                if isinstance(error, (PodsStuck, TimedOut)):
                    raise EndpointFailed(str(error)) from error
                raise
        return self.with_token(self._deployed(record))

    def promote(self, name: str, run: str) -> DeployedEndpoint:
        """Make the candidate stable; the old stable ends once its requests are answered.

        Raises:
            EndpointFailed: there is no such endpoint of that run, or the candidate does not answer.
            TrafficFailed: the traffic does not follow; it is with the candidate, and this may be called again.
        """
        record, found = self._in_charge(name, run)
        if candidate := record.arms.get("candidate"):
            reconciler = self._reconciler(record, found)
            reconciler.require_pods(record, "candidate")
            self._split(record, ALL_CANDIDATE)
            both = replace(record, arms={"stable": candidate, "candidate": candidate})
            reconciler.bring_up(both, ALL_CANDIDATE)
            reconciler.lead(both)
            record = replace(record, arms={"stable": candidate}, standing=True)
        return self._keep_stable(record, found)

    def roll_back(self, name: str, run: str) -> DeployedEndpoint:
        """Send all traffic to stable and end the candidate once its requests are answered.

        Raises:
            EndpointFailed: there is no such endpoint of that run.
            TrafficFailed: the traffic does not follow.
        """
        record, found = self._in_charge(name, run)
        if "candidate" in record.arms:
            reconciler, alone = self._reconciler(record, found), replace(record, arms={"stable": record.arms["stable"]})
            if reconciler.workload.traffic:  # one write: nothing waits for pods that the candidate may have lost
                reconciler.put(alone, {"stable": 100})
            else:
                reconciler.lead(alone)
                self._split(record, ALL_STABLE)
            record = alone
        return self._keep_stable(record, found)

    def remove(self, name: str, run: str) -> None:
        """End what the run has brought: the endpoint that it made, or its candidate beside a model that served before.

        Nothing happens where another run is in charge.
        """
        found = self._records.find(name)
        record = Record.of(found) if found else None
        if record is None or record.run != run:
            return
        if not record.standing:
            self.delete(name)
        else:
            self.roll_back(name, run)

    def delete(self, name: str) -> None:
        """End an endpoint with all that belongs to it, whoever is in charge."""
        if found := self._records.find(name):
            record = Record.of(found)
            self._reconciler(record, found).delete(record)

    def list(self) -> list[DeployedEndpoint]:
        """All endpoints, those that never became ready included."""
        return [self._deployed(record) for record in self._records.list()]

    def with_token(self, endpoint: DeployedEndpoint) -> DeployedEndpoint:
        """The endpoint with its token in a file of this machine. Raises: EndpointFailed: it is gone."""
        record, found = self._in_charge(endpoint.name, endpoint.run)
        endpoint.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(endpoint.token_file, self._reconciler(record, found).token(record.name))
        endpoint.write()
        return endpoint

    def _require_free(self, spec: EndpointSpec, before: Record | None) -> None:
        if before is None:
            return
        if before.backend != self._workload.name:
            raise InvalidSpec(
                f"Endpoint {spec.name} is served by {before.backend}, not by {self._workload.name}; deploy it by that, "
                f"or end it first: `kubectl delete configmap {spec.name}-endpoint -n {self._objects.namespace}`."
            )
        if before.run != spec.run and "candidate" in before.arms:
            raise NameTaken(
                f"Run {before.run} is rolling out version {before.arms['candidate'].version} on endpoint {spec.name}; "
                f"nothing was changed. Wait for it, or end what it brought by "
                f"platforms.current(Endpoint).remove({spec.name!r}, {before.run!r})."
            )

    def _wanted(self, spec: EndpointSpec, before: Record | None) -> Record:
        """The record of the spec, its packages verified here and put where the pods find them."""
        settings = hosting(spec.hosting)
        key = spec.public_key or verifying_key(keys())
        known = {arm.version: arm for arm in before.arms.values()} if before else {}
        arms = {}
        for arm, package in spec.packages.items():
            sha256 = verify(package, key).sha256
            version = sha256[:VERSION_DIGITS]
            uri = settings.package_uri(spec.name, version)
            serving = known.get(version) or served(spec, version, uri, settings, key)
            arms[arm] = self._fronted(replace(serving, sha256=sha256), spec, settings)
            keep_package(arms[arm].arm.package, package)
        standing = bool(before and (before.standing if before.run == spec.run else before.url))
        return Record(spec.name, spec.run, self._workload.name, arms, time.time(), standing=standing)

    def _fronted(self, arm: Served, spec: EndpointSpec, settings: Hosting) -> Served:
        """The arm, before the gateway as it is set now; its pods are not concerned."""
        host = settings.host or (f"{spec.name}.{self._objects.namespace}" if gateway_url() else "")
        return replace(arm, hosting=replace(arm.hosting, host=host, gateway=settings.gateway))

    def _serving(self, record: Record, found: Manifest) -> Record:
        """Bring the arms up, and lead traffic to stable; the record with the endpoint's address."""
        reconciler = self._reconciler(record, found)
        reconciler.token(record.name)
        reconciler.bring_up(record, ALL_STABLE)
        url, host = self._address(record)
        served = replace(record, url=url, host=host)
        if not reconciler.workload.traffic:
            self._lead(reconciler, replace(served, arms={"stable": served.arms["stable"]}), {"stable": 100})
        self._lead(reconciler, served, ALL_STABLE)
        if host or platforms.in_pod():  # a laptop reaches the gateway only; in a pod the node's proxy comes last
            await_answers(self._deployed(served), {"stable"})
        reconciler.prune(served, ALL_STABLE)
        self._records.write(found, served)
        return served

    def _lead(self, reconciler: Reconciler, record: Record, weights: Weights) -> None:
        """Services first, then the traffic to them: a killed step may have left either with the other arm's model."""
        reconciler.lead(record)
        self._split(record, weights)

    def _keep_stable(self, record: Record, found: Manifest) -> DeployedEndpoint:
        """What follows once all traffic is with the version that stays: only that one is left."""
        found = self._records.write(found, record)
        reconciler = self._reconciler(record, found)
        reconciler.bring_up(record, {"stable": 100})
        self._split(record, {"stable": 100})
        reconciler.prune(record, {"stable": 100})
        return self.with_token(self._deployed(record))

    def _undo(self, record: Record, before: Record | None, error: BaseException) -> None:
        """Leave what served before this run, or nothing; what a dead webhook keeps from being written stays."""
        try:
            found = self._records.find(record.name)
            if found is None:
                return
            if before is None or not record.standing:
                self._reconciler(record, found).delete(record)
                return
            stood = replace(before, arms={"stable": before.arms["stable"]})
            found = self._records.write(found, stood)
            reconciler = self._reconciler(stood, found)
            if not isinstance(error, AdmissionRefused):
                reconciler.put(stood, {"stable": 100})
            reconciler.lead(stood)
            reconciler.prune(stood, {"stable": 100})
        except SeawayError as left:
            log.error(
                "What run %s has made of endpoint %s could not be ended: %s Its remove() tries again.",
                record.run, record.name, left,
            )  # fmt: skip

    def _in_charge(self, name: str, run: str) -> tuple[Record, dict[str, Any]]:
        found = self._records.find(name)
        record = Record.of(found) if found else None
        if found is None or record is None or record.run != run:
            raise EndpointFailed(f"There is no endpoint {name} of run {run}; deploy it first.")
        return record, found

    def _split(self, record: Record, weights: Weights) -> None:
        """Move the gateway's traffic; without a gateway all of it goes to the stable Service."""
        if not record.host:
            return
        wanted = {arm: weight for arm, weight in weights.items() if arm in record.arms}
        traffic = platforms.current(Traffic, workload_of(record.backend).traffic or "auto")
        traffic.set_weights(self._deployed(record), wanted)

    def _address(self, record: Record) -> tuple[str, str]:
        """URL and Host header."""
        namespace, workload = self._objects.namespace, workload_of(record.backend)
        if gateway := gateway_url():
            return gateway + workload.path(namespace, record.name), record.arms["stable"].hosting.host
        port = "" if workload.port == SERVICE_PORT else f":{workload.port}"
        return f"http://{record.name}-stable.{namespace}.svc.cluster.local{port}", ""

    def _deployed(self, record: Record) -> DeployedEndpoint:
        """The endpoint as a step knows it; see `with_token`."""
        workload, namespace = workload_of(record.backend), self._objects.namespace
        names = {arm: min(workload.pods_by_owner(record.name, {arm: served})) for arm, served in record.arms.items()}
        return DeployedEndpoint(
            name=record.name,
            run=record.run,
            folder=home() / "kubernetes" / namespace / f"{record.name}-{record.run}",
            url=record.url,
            arms={
                arm: Arm(served.version, served.arm.package, names[arm], served.sha256)
                for arm, served in record.arms.items()
            },
            deployed=record.deployed,
            host=record.host,
            secret=f"{namespace}/{SECRET}",
        )

    def _reconciler(self, record: Record, found: Manifest) -> Reconciler:
        return Reconciler(self._objects, workload_of(record.backend), self._patience, found)


@dataclass(frozen=True)
class EndpointOf:
    """The backend of the port `Endpoint` that runs one kind of workload."""

    workload: Workload

    def __call__(self, connection: Connection | None = None, patience: Patience | None = None) -> KubernetesEndpoint:
        """The adapter."""
        return KubernetesEndpoint(self.workload, connection, patience)

    @property
    def permissions(self) -> tuple[Permission, ...]:
        return (*PERMISSIONS, *self.workload.permissions)


def workload_of(backend: str) -> Workload:
    """The kind of workload by which that backend serves. Raises: InvalidSpec: no such backend."""
    named: EndpointOf = registry.find(Endpoint.__name__, backend).load()
    return named.workload


def gateway_url() -> str:
    """Where the gateway is that splits traffic; empty where there is none."""
    return os.environ.get("SEAWAY_GATEWAY_URL", "").rstrip("/")


def served(spec: EndpointSpec, version: str, package: str, settings: Hosting, key: Path) -> Served:
    """An arm of the endpoint, whose package is at the URI `package`."""
    server = platforms.chosen(ModelServer.__name__) if spec.server == AUTO else spec.server
    arm = RemoteArm.of(spec, version, package, settings.gpus, settings.drain_s, server)
    return Served(arm, settings, key.read_text(encoding="utf-8"))


def keep_package(uri: str, package: Path) -> None:
    """Put the package, and what was stated of it, where the pods find it, unless its version is there: its place is
    named by its content."""
    storage = storage_for(uri)
    if not storage.exists(uri):
        storage.upload(package, uri)
    carry_evidence(package, uri)
