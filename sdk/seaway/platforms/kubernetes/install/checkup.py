"""Is a namespace ready for pipelines? Asked before a run, not found by one: `seaway check --cluster`.

Each question is one that a run on a real Kubeflow failed at. Whoever asks may know less than the answer takes; what
cannot be known is said as such, with what would tell.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from seaway import registry
from seaway.errors import SeawayError
from seaway.platforms.findings import Finding, State
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.client.served import missing
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.pod_settings import SETTINGS, SIGNING, STORAGE
from seaway.registry import KUBERNETES

ENFORCED = "pod-security.kubernetes.io/enforce"
INSTALLED, AS_NO_ROOT = "pipeline-install-config", "defaultSecurityContextRunAsNonRoot"  # Kubeflow's
STEPS = ("default-editor", "pipeline-runner")  # who Kubeflow runs steps as: in a profile, without profiles
RESULTS = Resource("argoproj.io", "v1alpha1", "workflowtaskresults", "WorkflowTaskResult")
WORKFLOW = Permission(RESULTS, ("create", "patch"), "Argo: each step's pod says how it ended")
NEEDED = ("SEAWAY_STORAGE", "MLFLOW_TRACKING_URI", "SEAWAY_TRAINER_IMAGE", "SEAWAY_SERVER_IMAGE", "signing.pub")
CHOSEN = ("Trainer", "Tuner", "Endpoint", "Traffic")  # ports whose objects a run makes
SECRETS = {
    STORAGE.object: "Make it of your S3's address and keys (docs/clusters.md); access by roles needs none.",
    SIGNING.object: "`kustomize/signing.sh NAMESPACE` makes the pair that signs packages.",
}
NOT_FOUND = 404


def checkup(connection: Connection, kubeflow: str = "kubeflow") -> Iterator[Finding]:
    """All that is found in the connection's namespace; `kubeflow` is the namespace of Kubeflow Pipelines."""
    core, namespace = client.CoreV1Api(connection.requests), connection.namespace
    yield from _asked(f"namespace {namespace}", lambda: _pods(core, namespace, kubeflow))
    settings: dict[str, str] = {}
    yield from _asked(f"ConfigMap {SETTINGS.object}", lambda: _settings(core, namespace, settings))
    for secret, made_by in SECRETS.items():
        yield from _asked(f"Secret {secret}", partial(_secret, core, namespace, secret), made_by)
    yield from _asked("accounts", lambda: _accounts(connection))
    yield from _asked("kinds", lambda: _kinds(connection, settings))


def _asked(
    what: str, ask: Callable[[], Iterator[Finding]], advice: str = "Apply an overlay of kustomize/ to this namespace."
) -> Iterator[Finding]:
    """What it yields; a refusal to tell is unknown."""
    try:
        yield from ask()
    except ApiException as error:
        if error.status == NOT_FOUND:
            yield Finding(State.BAD, f"{what} is not there", advice)
        else:
            yield Finding(State.UNKNOWN, f"{what}: the API server does not tell ({error.status} {error.reason})")
    except HTTPError as error:
        yield Finding(State.UNKNOWN, f"{what}: the API server does not answer ({type(error).__name__})")
    except SeawayError as error:
        yield Finding(State.UNKNOWN, f"{what}: {error}")


def _pods(core: client.CoreV1Api, namespace: str, kubeflow: str) -> Iterator[Finding]:
    level = (core.read_namespace(namespace).metadata.labels or {}).get(ENFORCED, "privileged")
    yield Finding(State.GOOD, f"Pod Security of the namespace enforces {level}")
    if level != "restricted":
        return
    try:
        data = core.read_namespaced_config_map(INSTALLED, kubeflow).data or {}
    except ApiException as error:
        where = f"ConfigMap {INSTALLED} in namespace {kubeflow}"
        yield Finding(State.UNKNOWN, f"{where} cannot be read ({error.status})", f"It must have {AS_NO_ROOT}: 'true'.")
        return
    if data.get(AS_NO_ROOT) == "true":
        yield Finding(State.GOOD, "Kubeflow Pipelines runs steps as no root")
    else:
        yield Finding(
            State.BAD,
            "Kubeflow Pipelines does not say that steps are no root, so `restricted` refuses the pods of every step "
            "that does not say so itself, and of all before Kubeflow Pipelines 2.16",
            f"kubectl -n {kubeflow} patch configmap {INSTALLED} --type merge --patch "
            f"""'{{"data":{{"{AS_NO_ROOT}":"true"}}}}', then restart deployment ml-pipeline.""",
        )


def _settings(core: client.CoreV1Api, namespace: str, found: dict[str, str]) -> Iterator[Finding]:
    found.update(core.read_namespaced_config_map(SETTINGS.object, namespace).data or {})
    missing = [key for key in NEEDED if not found.get(key)]
    if missing:
        told = f"ConfigMap {SETTINGS.object} has no {', '.join(missing)}"
        yield Finding(
            State.BAD, told, "Name them in the overlay's settings.yaml; kustomize/signing.sh adds signing.pub."
        )
    else:
        yield Finding(State.GOOD, f"ConfigMap {SETTINGS.object} has what steps need")


def _secret(core: client.CoreV1Api, namespace: str, name: str) -> Iterator[Finding]:
    core.read_namespaced_secret(name, namespace)
    yield Finding(State.GOOD, f"Secret {name} is there")


def _accounts(connection: Connection) -> Iterator[Finding]:
    namespace, reviews = connection.namespace, client.AuthorizationV1Api(connection.requests)
    accounts = client.CoreV1Api(connection.requests).list_namespaced_service_account(namespace).items
    there = [name for name in STEPS if name in {account.metadata.name for account in accounts}]
    if not there:
        yield Finding(
            State.BAD,
            f"None of {', '.join(STEPS)} is in namespace {namespace}, so Kubeflow Pipelines runs no step there",
            "Take a profile's namespace, or kubeflow where there are no profiles.",
        )
    for name in there:
        user = f"system:serviceaccount:{namespace}:{name}"
        lacks = [told for rule in (*rbac.RULES, WORKFLOW) for told in _lacking(reviews, user, namespace, rule)]
        yield (
            Finding(State.BAD, f"Account {name} may not {', '.join(lacks)}", "The option kubeflow-accounts binds it.")
            if lacks
            else Finding(State.GOOD, f"Account {name} may do what steps do")
        )


def _lacking(reviews: Any, user: str, namespace: str, rule: Permission) -> Iterator[str]:
    plural, _, part = rule.resource.plural.partition("/")
    for verb in rule.verbs:
        asked = client.V1ResourceAttributes(
            namespace=namespace, verb=verb, group=rule.resource.group, resource=plural, subresource=part or None,
            name=rule.names[0] if rule.names else None,
        )  # fmt: skip
        spec = client.V1SubjectAccessReviewSpec(user=user, groups=["system:authenticated"], resource_attributes=asked)
        review = client.V1SubjectAccessReview(spec=spec)
        if not reviews.create_subject_access_review(review).status.allowed:
            yield f"{verb} {rule.resource.full_name}"


def _kinds(connection: Connection, settings: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the server knows what the chosen backends make."""
    objects = Objects(replace(connection, outage_s=0.0))
    for port in map(registry.port, CHOSEN):
        lacks = {
            one.name: missing(getattr(one.load(), "permissions", ()), objects) for one in _backends(port, settings)
        }
        if lacks and all(lacks.values()):
            told = " and ".join(f"{port.option} {name} needs {kinds}" for name, kinds in lacks.items())
            advice = f"Install its operator, or set {port.variable} in the overlay's settings.yaml."
            yield Finding(State.BAD, f"{told}, which is not installed", advice)
        elif name := next((one for one, kinds in lacks.items() if not kinds), None):
            yield Finding(State.GOOD, f"{port.option} is {name}: the cluster has its kinds")


def _backends(port: registry.Port, settings: Mapping[str, str]) -> tuple[registry.Backend, ...]:
    """Those among which a step chooses."""
    if not (named := settings.get(port.variable)):
        several = registry.candidates(port.name, KUBERNETES)
        return tuple(one for one in several if _makes(one)) if port.by_cluster else several
    found = registry.backends(port.name).get(named)
    return (found,) if found else ()


def _makes(backend: registry.Backend) -> bool:
    """Whether it is taken without being named: what makes no object belongs to another port's."""
    return any("create" in rule.verbs for rule in getattr(backend.load(), "permissions", ()))
