"""The admission policy of manifests/approvals: what a run asks is decided once, by who may, under their own name.

docs/design/approvals.md says why. The role of who may approve is in the same folder, and is given to nobody.
"""

from collections.abc import Iterator
from typing import Any

from seaway.platforms.kubernetes.client.naming import MANAGED_BY
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS
from seaway.platforms.kubernetes.jobs.approvals import APPROVES, BY, DECIDED, DECISION, GATE, RUN, WORDS

NAME, ROLE = "seaway-approvals", "seaway-approver"
ADMISSION, RBAC = "admissionregistration.k8s.io/v1", "rbac.authorization.k8s.io/v1"
LABELS = {"app.kubernetes.io/name": "seaway", "app.kubernetes.io/component": "approvals"}
SAID = "OBJ.metadata.?annotations[?'{key}'].orValue('')"
CHANGED = (
    f"{list(DECIDED)}.exists(key, object.metadata.?annotations[?key].orValue('') != "
    "(oldObject == null ? '' : oldObject.metadata.?annotations[?key].orValue('')))"
)
MAY = (
    f"authorizer.group('{APPROVES.resource.group}').resource('{APPROVES.resource.plural}')"
    f".namespace(request.namespace).check('{APPROVES.verbs[0]}').allowed()"
)
KEPT = [MANAGED_BY, GATE, RUN]


def objects() -> Iterator[dict[str, Any]]:
    """The policy, its binding, and the role."""
    rule = {
        "apiGroups": [CONFIG_MAPS.group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [CONFIG_MAPS.plural],
    }
    selector = {"matchLabels": {MANAGED_BY: "seaway"}, "matchExpressions": [{"key": GATE, "operator": "Exists"}]}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule], "objectSelector": selector},
        "variables": [
            {"name": "changed", "expression": CHANGED},
            {"name": "before", "expression": f"oldObject == null ? '' : {_said(DECISION, 'oldObject')}"},
        ],
        "validations": list(_validations()),
    }
    yield {**_head(ADMISSION, "ValidatingAdmissionPolicy", NAME), "spec": spec}
    bound = {"policyName": NAME, "validationActions": ["Deny"]}
    yield {**_head(ADMISSION, "ValidatingAdmissionPolicyBinding", NAME), "spec": bound}
    reads = {"apiGroups": [CONFIG_MAPS.group], "resources": [CONFIG_MAPS.plural], "verbs": ["get", "list", "patch"]}
    yield {**_head(RBAC, "ClusterRole", ROLE), "rules": [APPROVES.manifest(), reads]}


def _validations() -> Iterator[dict[str, str]]:
    yield {
        "expression": "oldObject != null || !variables.changed",
        "message": f"What is asked ({GATE}) comes without an answer.",
    }
    yield {
        "expression": f"oldObject == null || (object.?data.orValue({{}}) == oldObject.?data.orValue({{}}) && "
        f"{KEPT}.all(key, object.metadata.?labels[?key].orValue('') == oldObject.metadata.?labels[?key].orValue('')))",
        "message": f"What is asked ({GATE}) stays as it was asked.",
    }
    yield {
        "expression": "variables.before == '' || !variables.changed",
        "message": f"This is decided ({GATE}); a decision stays.",
    }
    yield {
        "expression": f"!variables.changed || {MAY}",
        "message": f"Who decides ({GATE}) needs the verb {APPROVES.verbs[0]} on {APPROVES.resource.plural}."
        f"{APPROVES.resource.group}: ClusterRole {ROLE}.",
    }
    yield {
        "expression": f"!variables.changed || ({_said(BY, 'object')} == request.userInfo.username && "
        f"{_said(DECISION, 'object')} in {list(WORDS.values())})",
        "messageExpression": f"'A decision ({GATE}) is {' or '.join(WORDS.values())}, and {BY} is who makes it: '"
        " + request.userInfo.username",
    }


def _said(key: str, which: str) -> str:
    return SAID.replace("OBJ", which).format(key=key)


def _head(api_version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "labels": dict(LABELS)}}
