"""What an answer of the API server means: an error class, and a message with the command that shows what is missing."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import urllib3
from kubernetes.client import ApiException

from seaway.errors import (
    AdmissionRefused,
    Forbidden,
    InvalidSpec,
    KindMissing,
    NamespaceUnavailable,
    NameTaken,
    ObjectDeleted,
    QuotaExceeded,
    SeawayError,
    ServerGone,
)
from seaway.platforms.kubernetes.client.resources import Resource

UNREACHABLE = (ApiException, urllib3.exceptions.HTTPError, OSError)  # what a request may raise
WEBHOOK = re.compile(r'admission webhook "(?P<name>[^"]+)" denied the request:?\s*(?P<why>.*)', re.DOTALL)
DEAD_WEBHOOK = re.compile(r'failed calling webhook "(?P<name>[^"]+)"')
POLICY = re.compile(r"ValidatingAdmissionPolicy '(?P<name>[^']+)'.* denied request: ?(?P<why>.*)", re.DOTALL)
DENIED_VERB = re.compile(r"cannot (?P<verb>[a-z]+) resource ")  # of RBAC: an apply needs `create`, too, of a new object
OTHER_OBJECT = re.compile(r"UID in (the )?precondition")  # of a deletion: the name is another object's by now
WRITES = ("create", "patch")
RETRIED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)


@dataclass(frozen=True)
class ApiCall:
    """What was asked: a verb of RBAC on an object (or, without a name, on all of a kind) in a namespace."""

    verb: str
    resource: Resource
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        return (
            f"{self.resource.kind} {self.namespace}/{self.name}"
            if self.name
            else f"{self.resource.plural} of namespace {self.namespace}"
        )

    @property
    def kubectl_target(self) -> str:
        """The object, as kubectl's arguments."""
        return f"{self.resource.full_name} {self.name} -n {self.namespace}".replace("  ", " ")


@dataclass(frozen=True)
class Status:
    """The `Status` object of an answer that is no success; code 0 where there was no answer."""

    code: int
    reason: str = ""
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: Exception) -> "Status":
        """Read what the server said, or what kept it from saying anything."""
        if not isinstance(error, ApiException) or not error.status:
            return cls(0, type(error).__name__, str(error))
        body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else str(error.body or "")
        try:
            answer = json.loads(body)
            return cls(error.status, answer.get("reason") or "", answer["message"], answer.get("details") or {})
        except (ValueError, KeyError, AttributeError, TypeError):
            return cls(error.status, str(error.reason or ""), body[:500])

    @property
    def causes(self) -> list[Mapping[str, Any]]:
        return list(self.details.get("causes") or [])

    def caused_by(self, reason: str) -> bool:
        return any(cause.get("reason") == reason for cause in self.causes)

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed a little later: no answer, an overload, a race lost in the server."""
        if self.code == 0:
            return "CERTIFICATE_VERIFY_FAILED" not in self.message
        return self.code >= HTTPStatus.INTERNAL_SERVER_ERROR or self.code in RETRIED or self.lost_race

    @property
    def lost_race(self) -> bool:
        """409 of an optimistic lock inside the server, such as a quota that two requests raised at once."""
        return (
            self.code == HTTPStatus.CONFLICT
            and self.reason == "Conflict"
            and not self.caused_by("FieldManagerConflict")
            and not OTHER_OBJECT.search(self.message)
        )


def error_for(status: Status, call: ApiCall) -> SeawayError:
    """The error that tells a user what the server's answer to `call` means."""
    explain: dict[int, Callable[[Status, ApiCall], SeawayError]] = {
        HTTPStatus.UNAUTHORIZED: _unauthorized,
        HTTPStatus.FORBIDDEN: _forbidden,
        HTTPStatus.NOT_FOUND: _not_found,
        HTTPStatus.CONFLICT: _conflict,
        HTTPStatus.BAD_REQUEST: _invalid,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _invalid,
        HTTPStatus.UNPROCESSABLE_ENTITY: _invalid,
    }
    return _admission(status, call) or explain.get(status.code, _gone)(status, call)


def of_webhook(status: Status, call: ApiCall) -> bool:
    """Whether the server could not write because an operator's webhook does not answer it.

    It names a webhook whose own time is over. Where the request's time is over first, it only says so.
    """
    late = status.code == HTTPStatus.GATEWAY_TIMEOUT and call.verb in WRITES and call.resource.has_operator
    return late or DEAD_WEBHOOK.search(status.message) is not None


def _admission(status: Status, call: ApiCall) -> SeawayError | None:
    if found := DEAD_WEBHOOK.search(status.message):
        return AdmissionRefused(
            f"{call} cannot be written: the admission webhook {found['name']} does not answer, so its operator is "
            f"probably down. The server said: {status.message}. "
            "`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` names its service."
        )
    if of_webhook(status, call):
        return AdmissionRefused(
            f"{call} cannot be written: the API server does not complete it in time, as when an admission webhook does "
            f"not answer, so the operator of {call.resource.full_name} is probably down. The server said: "
            f"{status.message}. `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` names the "
            "webhook's service."
        )
    if found := WEBHOOK.search(status.message):
        return AdmissionRefused(
            f"{call} was refused by the admission webhook {found['name']}: {found['why'].strip()} "
            f"Change the spec; `kubectl get validatingwebhookconfigurations` shows whose webhook it is."
        )
    if found := POLICY.search(status.message):
        return AdmissionRefused(
            f"{call} was refused by the admission policy {found['name']}: {found['why'].strip()} "
            f"`kubectl get validatingadmissionpolicy {found['name']} -o yaml` shows its rules."
        )
    if "violates PodSecurity" in status.message:
        return AdmissionRefused(
            f"{call} was refused by Pod Security: {status.message}. "
            f"`kubectl get namespace {call.namespace} --show-labels` shows the level that the namespace enforces."
        )
    return None


def _unauthorized(status: Status, call: ApiCall) -> SeawayError:
    return Forbidden(
        f"The API server does not accept the credentials ({status.message}): the token has expired or belongs to "
        "another cluster. `kubectl auth whoami` shows whom it takes you for."
    )


def _forbidden(status: Status, call: ApiCall) -> SeawayError:
    if status.caused_by("NamespaceTerminating"):
        return _terminating(call)
    if "exceeded quota" in status.message:
        return QuotaExceeded(
            f"{call} does not fit into the namespace's quota: {status.message}. "
            f"`kubectl describe resourcequota -n {call.namespace}` shows its use: delete finished jobs or ask for more."
        )
    denied = DENIED_VERB.search(status.message)
    what = f"{denied['verb'] if denied else call.verb} {call.resource.full_name}"
    return Forbidden(
        f"Not allowed to {what} in namespace {call.namespace}: {status.message}. "
        f"`kubectl auth can-i {what} -n {call.namespace}` shows it; "
        "a Role with this rule must be bound to the account that the step runs as."
    )


def _terminating(call: ApiCall) -> NamespaceUnavailable:
    return NamespaceUnavailable(
        f"{call} cannot be created: namespace {call.namespace} is being deleted. Use another namespace; "
        f"`kubectl get namespace {call.namespace} -o yaml` shows what its deletion waits for."
    )


def _not_found(status: Status, call: ApiCall) -> SeawayError:
    if status.details.get("kind") == "namespaces":
        return NamespaceUnavailable(
            f"{call} cannot be created: there is no namespace {call.namespace}. "
            f"`kubectl create namespace {call.namespace}` makes it."
        )
    if status.details.get("name"):
        return ObjectDeleted(f"There is no {call} (any more). `kubectl get {call.kubectl_target}` shows it.")
    return KindMissing(
        f"The cluster does not serve {call.resource.full_name} ({call.resource.api_version}): its custom resource "
        f"definition is not installed. `kubectl get crd {call.resource.full_name}` shows it; docs/clusters.md says "
        "what a cluster needs."
    )


def _conflict(status: Status, call: ApiCall) -> SeawayError:
    if status.caused_by("FieldManagerConflict"):
        fields = "; ".join(f"{cause.get('field')}: {cause.get('message')}" for cause in status.causes)
        return NameTaken(
            f"{call} has fields that another owner manages ({fields}); they were left as they are. "
            f"`kubectl get {call.kubectl_target} -o yaml --show-managed-fields` shows whose they are."
        )
    return NameTaken(f"{call} exists already. `kubectl get {call.kubectl_target} -o yaml` shows whose it is.")


def _invalid(status: Status, call: ApiCall) -> SeawayError:
    causes = [f"{cause['field']}: {cause['message']}" for cause in status.causes if cause.get("field")]
    said = "; ".join(causes) or status.message
    return InvalidSpec(
        f"The API server does not accept {call}: {said}. `kubectl explain {call.resource.full_name}` shows its fields."
    )


def _gone(status: Status, call: ApiCall) -> SeawayError:
    what = f"answers {status.code} {status.reason}" if status.code else "cannot be reached"
    return ServerGone(
        f"The API server {what} ({status.message}) when asked to {call.verb} {call}. "
        "`kubectl get --raw /readyz?verbose` shows its state."
    )
