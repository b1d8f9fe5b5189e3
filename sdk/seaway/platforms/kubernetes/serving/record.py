"""The record of an endpoint in ConfigMap `NAME-endpoint`: the one truth that a step which is started again reads.

It holds the public keys, too, that the pods verify their packages by. Every other object of the endpoint is owned by
it, so deleting it ends the endpoint.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seaway.errors import DataUnreadable, NameTaken
from seaway.model_server.arm import RemoteArm
from seaway.platforms.kubernetes.client.api_errors import ApiCall
from seaway.platforms.kubernetes.client.naming import ENDPOINT, MANAGED_BY, endpoint_labels
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import is_of_endpoint
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, Manifest
from seaway.platforms.kubernetes.serving.hosting import Hosting
from seaway.platforms.kubernetes.serving.server_pod import config_map, key_of
from seaway.platforms.kubernetes.serving.workload import Arms, Served

FILE = "endpoint.json"
RUN, CANDIDATE = "run", "candidate"  # keys of the record's data that a policy reads
GIT = "git"  # manages the endpoints that `seaway manifests endpoint` writes


@dataclass(frozen=True)
class Record:
    """An endpoint as it is wanted.

    `run` is in charge of it. `url` is empty until it has been ready. `standing` says that it has served before that
    run, or that the run's candidate was promoted: then its end is not the endpoint's. `deployed` is in seconds since
    1970.
    """

    name: str
    run: str
    backend: str
    arms: Arms
    deployed: float
    url: str = ""
    host: str = ""
    standing: bool = False

    def data(self) -> dict[str, str]:
        """The ConfigMap's."""
        arms = {arm: asdict(served) for arm, served in self.arms.items()}
        value = {**{key: getattr(self, key) for key in FIELDS}, "arms": arms}
        keys = {key_of(served.version): served.public_key for served in self.arms.values()}
        return {FILE: json.dumps(value, indent=2, sort_keys=True), **keys, **self._guarded()}

    def _guarded(self) -> dict[str, str]:
        """What manifests/rollouts compares a route with: the run in charge, and its candidate's package."""
        candidate = self.arms.get("candidate")
        return {RUN: self.run, **({CANDIDATE: candidate.sha256} if candidate else {})}

    @classmethod
    def of(cls, manifest: Manifest) -> "Record":
        """Raises: DataUnreadable: the ConfigMap holds no record."""
        name = manifest["metadata"]["name"]
        try:
            value = json.loads(manifest["data"][FILE])
            arms = {arm: _served(served) for arm, served in value["arms"].items()}
            return cls(**{key: value[key] for key in FIELDS}, arms=arms)
        except (KeyError, TypeError, ValueError) as error:
            raise DataUnreadable(
                f"ConfigMap {name} holds no record of an endpoint ({error!r}); `kubectl delete configmap {name}` ends "
                "what is left of it."
            ) from error


FIELDS = ("name", "run", "backend", "deployed", "url", "host", "standing")


@dataclass(frozen=True)
class Records:
    """The records of a namespace, written only over what was read."""

    objects: Objects

    def find(self, name: str) -> dict[str, Any] | None:
        """The ConfigMap of an endpoint, None where there is none.

        Raises:
            NameTaken: it is somebody else's.
        """
        found = self.objects.get(CONFIG_MAPS, config_map(name))
        if found and found["metadata"].get("labels", {}).get(MANAGED_BY) == GIT:
            raise NameTaken(
                f"Endpoint {name} in namespace {self.objects.namespace} is git's; nothing was changed. Bring a model "
                f"to it by `seaway manifests endpoint {name}` and a commit, or call this endpoint something else."
            )
        if found and not is_of_endpoint(found, name):
            call = ApiCall("get", CONFIG_MAPS, self.objects.namespace, config_map(name))
            raise NameTaken(
                f"{call} is no endpoint's of Seaway; it was left as it is. Call the endpoint something else, or see "
                f"whose it is: `kubectl get {call.kubectl_target} --show-labels`."
            )
        return found

    def list(self) -> list[Record]:
        """All records."""
        query = {"labelSelector": f"{MANAGED_BY}=seaway,{ENDPOINT}"}
        found = self.objects.list(CONFIG_MAPS, query).items
        return [Record.of(item) for item in found if FILE in item.get("data", {})]

    def create(self, record: Record) -> dict[str, Any]:
        """Raises: NameTaken: somebody was quicker."""
        metadata = {"name": config_map(record.name), "labels": endpoint_labels(record.name)}
        manifest = {"apiVersion": "v1", "kind": CONFIG_MAPS.kind, "metadata": metadata, "data": record.data()}
        return self.objects.create(CONFIG_MAPS, manifest)

    def write(self, found: Manifest, record: Record) -> dict[str, Any]:
        """Replace what was found. Raises: ObjectChanged, ObjectDeleted: somebody else has written meanwhile."""
        if found.get("data") == record.data():
            return dict(found)
        return self.objects.patch(CONFIG_MAPS, found, [{"op": "replace", "path": "/data", "value": record.data()}])


def _served(value: Mapping[str, Any]) -> Served:
    arm, settings = RemoteArm(**value["arm"]), Hosting.parse(value["hosting"])
    return Served(arm, settings, value["public_key"], value.get("sha256", ""))
