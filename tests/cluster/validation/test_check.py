"""`seaway check FILE` beside the real server: whatever others write, right or wrong, both say the same."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dry_runs import server_says
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes import client
from kubernetes.client import ApiException
from mutants_of_objects import mutated
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.manifests import builtin_rules
from seaway.platforms.kubernetes.manifests.documents import Document, documents
from seaway.platforms.kubernetes.manifests.judge import REFUSED, judge
from seaway.platforms.kubernetes.validation.schemas import schema, sources

ALL = list(documents(str(Path(__file__).parents[2] / "support" / "objects")))
EXAMPLES = 40  # generated objects of each kind, most of them wrong
AGREED = 0.995  # of all of them
UNJUDGED = ("Experiment",)  # its definition takes anything; tests/cluster/tuning has Katib's webhook
BY_WEBHOOK = REFUSED.keys() - builtin_rules.RULES.keys()  # not comparable where the webhook does not run
OF_STATE = ("unsupported runtime", "violates PodSecurity")  # what only a cluster can know
SINCE_1_9 = ("if elastic policy is used", "must be at least 1", "runPolicy.managedBy")  # of the training operator


@dataclass
class Beside:
    """The verdicts of both, and what differs."""

    connection: Connection
    counts: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)

    def compare(self, manifest: dict[str, Any], path: str) -> None:
        said, ours = server_says(self.connection, path, manifest), judge(Document("", manifest)).refused
        if said and any(words in said for words in OF_STATE):
            return
        if not said and ours and all(any(words in str(one) for words in SINCE_1_9) for one in ours):
            return  # an operator of 1.8 takes it
        self.counts[bool(ours), said is not None] += 1
        if bool(ours) != (said is not None):
            self.differing.append(said or f"taken by the server: {manifest['kind']} {ours}")


def collection(manifest: dict[str, Any], namespace: str) -> str:
    """Where the server is asked to create it."""
    resource = sources()[manifest["apiVersion"], manifest["kind"]].resource
    source, path = schema(resource.group, resource.plural, resource.version)["x-source"], resource.path(namespace)
    return path.replace(f"/namespaces/{namespace}", "") if source["scope"] == "Cluster" else path


def served(connection: Connection, path: str) -> bool:
    """Whether this cluster knows the kind."""
    try:
        connection.request("GET", path, {})
    except ApiException as error:
        if error.status == 404:
            return False
        raise
    return True


def groups_with_webhooks(connection: Connection) -> set[str]:
    """Groups of kinds that an operator of this cluster judges."""
    hooks = client.AdmissionregistrationV1Api(connection.requests).list_validating_webhook_configuration().items
    rules = [rule for hook in hooks for each in hook.webhooks for rule in each.rules]
    return {group for rule in rules for group in rule.api_groups}


def compare(right: dict[str, Any], path: str, beside: Beside) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(mutated(st.just(right)))
    def both(manifest: dict[str, Any]) -> None:
        beside.compare(manifest, path)

    both()


def test_verdicts_are_the_servers(connection: Connection, tell: Any) -> None:
    beside = Beside(connection)
    hooked = groups_with_webhooks(connection)
    for value in (one.value for one in ALL if one.value["kind"] not in UNJUDGED):
        path, group = collection(value, connection.namespace), value["apiVersion"].rpartition("/")[0]
        if served(connection, path) and (group in hooked or (group, value["kind"]) not in BY_WEBHOOK):
            compare(value, path, beside)
    counts = beside.counts
    agreed = (counts[True, True] + counts[False, False]) / counts.total()
    tell(f"{counts.total()} objects, both refuse {counts[True, True]}, both take {counts[False, False]}: {agreed:.2%}")
    for said in beside.differing:
        tell(f"  differing: {said[:300]}")
    assert not counts[True, False]
    assert agreed >= AGREED
