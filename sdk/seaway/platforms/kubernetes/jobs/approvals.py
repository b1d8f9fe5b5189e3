"""Questions as ConfigMaps owned by their runs, decisions as annotations that manifests/approvals has guarded."""

import json
from datetime import UTC, datetime
from typing import Any

from seaway.approvals import Decision, Question, decided_before, not_asked
from seaway.errors import AdmissionRefused, Forbidden, NameTaken, NotApproved, ObjectChanged
from seaway.platforms.kubernetes.client.connection import Connection, connected
from seaway.platforms.kubernetes.client.naming import MANAGED_BY, Step, label, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import with_owner
from seaway.platforms.kubernetes.client.permissions import ROUTED, Permission
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, Manifest, Resource

GATE = "seaway.dev/approval"  # label: the gate's name
RUN = "seaway.dev/approval-run"  # label
DECIDED = (DECISION, BY, AT, WHY) = tuple(
    f"seaway.dev/{word}" for word in ("decision", "decided-by", "decided-at", "why")
)
WORDS = {True: "approved", False: "refused"}
QUESTION = "question.json"
APPROVALS = Resource("seaway.dev", "v1", "approvals", "Approval")  # nowhere served: a name for RBAC's verb `approve`
APPROVES = Permission(APPROVALS, ("approve",), "approve or refuse what a run asks")
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
FORGER = "nobody, to see whether a forgery is refused"


class ConfigMapApprovals:
    """A decision counts by who the API server knows to have made it."""

    permissions = (Permission(CONFIG_MAPS, (*ROUTED, "list"), "approvals: what a run asks people"),)

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection or connected()
        self._objects = Objects(self._connection)

    def ask(self, question: Question) -> None:
        self._require_guarded(question)
        try:
            self._objects.create(CONFIG_MAPS, with_owner(self._objects, _asked(question)))
        except NameTaken:
            if self._objects.get(CONFIG_MAPS, _name(question.run, question.gate)) is None:
                raise

    def heard(self, run: str, gate: str) -> Decision | None:
        found = self._objects.get(CONFIG_MAPS, _name(run, gate))
        return _decided(found) if found else None

    def pending(self, run: str = "") -> list[Question]:
        selector = f"{MANAGED_BY}=seaway,{GATE}" + (f",{RUN}={label(run)}" if run else "")
        found = self._objects.list(CONFIG_MAPS, {"labelSelector": selector}).items
        asked = [Question.of(json.loads(one["data"][QUESTION])) for one in found if _decided(one) is None]
        return sorted(asked, key=lambda question: question.asked)

    def decide(self, question: Question, *, approved: bool, why: str) -> Decision:
        found = self._objects.get(CONFIG_MAPS, _name(question.run, question.gate))
        if found is None:
            raise not_asked(question)
        if before := _decided(found):
            raise decided_before(question, before)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        decision = Decision(approved, self._me(), now, why)
        annotations = {**found["metadata"].get("annotations", {}), **_annotations(decision)}
        write = {"op": "add", "path": "/metadata/annotations", "value": annotations}
        try:
            self._objects.patch(CONFIG_MAPS, found, [write])
        except ObjectChanged:
            if _decided(self._objects.get(CONFIG_MAPS, found["metadata"]["name"]) or found) != decision:
                raise
        return decision

    def _me(self) -> str:
        """The name by which the API server knows this process."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = self._connection.request("POST", SELF, {}, review, "application/json")
        return str(json.loads(answer)["status"]["userInfo"]["username"])

    def _require_guarded(self, question: Question) -> None:
        """See that the API server refuses a question that comes with an answer."""
        asked = _asked(question)
        forged = _annotations(Decision(approved=True, who=FORGER, when="-"))
        name = f"{asked['metadata']['name']}-forged"
        metadata = {**asked["metadata"], "name": name, "annotations": {**asked["metadata"]["annotations"], **forged}}
        try:
            self._objects.create(CONFIG_MAPS, {**asked, "metadata": metadata}, dry_run=True)
        except (AdmissionRefused, Forbidden) as refusal:
            if GATE in str(refusal):
                return
            raise
        raise NotApproved(
            f"In namespace {self._objects.namespace} whoever may write ConfigMaps, this step too, could approve in "
            "anybody's name. Have an administrator apply manifests/approvals (docs/how-to/ask-for-approval.md)."
        )


def _asked(question: Question) -> dict[str, Any]:
    manifest = {
        "apiVersion": "v1",
        "kind": CONFIG_MAPS.kind,
        "metadata": {"labels": {GATE: question.gate, RUN: label(question.run)}},
        "data": {QUESTION: json.dumps(question.to_json())},
    }
    made = stamp(manifest, Step(question.run, question.gate))
    return {**made, "metadata": {**made["metadata"], "name": _name(question.run, question.gate)}}


def _name(run: str, gate: str) -> str:
    """The same whatever is asked, so that a step that is tried again finds it."""
    empty = {"kind": CONFIG_MAPS.kind, "metadata": {}}
    return str(stamp(empty, Step(run, f"approval-{gate}"), suffix=len("-forged"))["metadata"]["name"])


def _decided(found: Manifest) -> Decision | None:
    said = found["metadata"].get("annotations", {})
    if said.get(DECISION) not in WORDS.values():
        return None
    return Decision(said[DECISION] == WORDS[True], said.get(BY, ""), said.get(AT, ""), said.get(WHY, ""))


def _annotations(decision: Decision) -> dict[str, str]:
    return dict(zip(DECIDED, (WORDS[decision.approved], decision.who, decision.when, decision.why), strict=True))
