"""The admission policies of manifests/rollouts: no candidate of a managed route gets traffic that is not stated.

Two ValidatingAdmissionPolicies for each kind of route, alike but for how a candidate's share is read from the object.
docs/design/evidence.md says what they guarantee, and what not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from seaway.models.attestation import PAYLOAD_TYPE
from seaway.platforms.kubernetes.client.naming import ENDPOINT, MANAGED_BY
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, Resource
from seaway.platforms.kubernetes.serving import record
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES
from seaway.platforms.kubernetes.traffic import evidence
from seaway.platforms.kubernetes.traffic import gateway as edge
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS

ADMISSION = "admissionregistration.k8s.io/v1"
MANAGED = {MANAGED_BY: "seaway"}

# CEL: the shares in per cent that each part of OBJ gives to the candidate of the endpoint NAME. What serves only those
# requests that name their arm, as a rollout's own comparisons do, is no part.
LEADS = (
    "(one.destination.host.split('.')[0] == NAME + '-candidate' || one.destination.?subset == optional.of('candidate'))"
)
LONE = LEADS.replace("one.", "rule.route[0].")
VIRTUAL_SERVICE = f"""(
OBJ.spec.?http.orValue([]).filter(rule, !(size(rule.?match.orValue([])) > 0 &&
  rule.match.all(one, '{edge.ARM}' in one.?headers.orValue({{}}))))
+ OBJ.spec.?tls.orValue([]) + OBJ.spec.?tcp.orValue([])
).map(rule, has(rule.delegate) || (size(rule.?route.orValue([])) == 1 && {LONE}) ? 100
  : rule.?route.orValue([]).filter(one, {LEADS}).map(one, int(one.?weight.orValue(0))).sum())"""
WEIGHT = "int(one.?weight.orValue(1))"
HTTP_ROUTE = f"""OBJ.spec.?rules.orValue([]).filter(rule, !(size(rule.?matches.orValue([])) > 0 &&
  rule.matches.all(one, one.?headers.orValue([]).exists(header, header.name == '{edge.ARM}'))))
.filter(rule, rule.?backendRefs.orValue([]).exists(one, {WEIGHT} > 0))
.map(rule, [rule.backendRefs.filter(one, one.name == NAME + '-candidate').map(one, {WEIGHT}).sum(),
  rule.backendRefs.map(one, {WEIGHT}).sum()]).map(sums, (100 * sums[0] + sums[1] - 1) / sums[1])"""
SELDON_DEPLOYMENT = """OBJ.spec.?predictors.orValue([])
.filter(one, one.name == 'candidate' && !one.?shadow.orValue(false))
.map(one, size(OBJ.spec.predictors) == 1 ? 100 : int(one.?traffic.orValue(0)))"""
INFERENCE_SERVICE = "[int(OBJ.spec.?predictor.?canaryTrafficPercent.orValue(0))]"
SHARES = {
    VIRTUAL_SERVICES: VIRTUAL_SERVICE,
    HTTP_ROUTES: HTTP_ROUTE,
    SELDON_DEPLOYMENTS: SELDON_DEPLOYMENT,
    INFERENCE_SERVICES: INFERENCE_SERVICE,
}
ENDPOINT_NAME = (
    f"(oldObject == null ? object : oldObject).metadata.?labels[?'{ENDPOINT}'].orValue(object.metadata.name)"
)
TOUCHED = f"""{list(evidence.ANNOTATIONS)}.exists(key, object.metadata.?annotations[?key].orValue('') !=
  (oldObject == null ? '' : oldObject.metadata.?annotations[?key].orValue('')))
|| (oldObject != null && {[MANAGED_BY, ENDPOINT]}.exists(key,
  object.metadata.?labels[?key].orValue('') != oldObject.metadata.?labels[?key].orValue('')))"""
DRIVES = evidence.DRIVES
ALLOWED = (
    f"authorizer.group('{DRIVES.resource.group}').resource('{DRIVES.resource.plural}').namespace(request.namespace)"
    f".check('{DRIVES.verbs[0]}').allowed()"
)


def objects() -> Iterator[dict[str, Any]]:
    """Two policies with their bindings for each kind of route: one asks for a statement, one compares it to the record.

    Two, since a policy with parameters refuses everything, the way back included, or nothing where there are none.
    """
    selector = {"matchLabels": MANAGED, "matchExpressions": [{"key": ENDPOINT, "operator": "Exists"}]}
    records = {"paramRef": {"selector": selector, "parameterNotFoundAction": "Allow"}}
    for resource in SHARES:
        yield from _bound(resource, _name(resource), list(_stated()), {}, {})
        kind = {"paramKind": {"apiVersion": "v1", "kind": CONFIG_MAPS.kind}}
        yield from _bound(resource, f"{_name(resource)}-record", [_recorded()], kind, records)


def _bound(
    resource: Resource, name: str, validations: list[Any], kind: Mapping[str, Any], records: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    rule = {
        "apiGroups": [resource.group],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource.plural],
    }
    raised = f"{_share(resource, 'object')}\n> (oldObject == null ? 0 : {_share(resource, 'oldObject')})"
    annotated = zip(("envelope", "allows", "candidate", "run"), evidence.ANNOTATIONS, strict=True)
    spec = {
        "failurePolicy": "Fail",
        **kind,
        "matchConstraints": {"resourceRules": [rule], "objectSelector": {"matchLabels": MANAGED}},
        "matchConditions": [{"name": "raised-or-touched", "expression": f"{raised}\n|| {TOUCHED}"}],
        "variables": [
            _variable("endpoint", ENDPOINT_NAME),
            _variable("share", _share(resource, "object")),
            _variable("raised", raised),
            *(
                _variable(variable, f"object.metadata.?annotations[?'{key}'].orValue('')")
                for variable, key in annotated
            ),
        ],
        "validations": validations,
    }
    yield {**_head("ValidatingAdmissionPolicy", name), "spec": spec}
    bound = {"policyName": name, **records, "validationActions": ["Deny"]}
    yield {**_head("ValidatingAdmissionPolicyBinding", name), "spec": bound}


def _variable(name: str, expression: str) -> dict[str, str]:
    return {"name": name, "expression": expression}


def _stated() -> Iterator[dict[str, str]]:
    yield {
        "expression": ALLOWED,
        "message": "Only who drives rollouts may raise a candidate's weight, change what allows it, or take the "
        f"endpoint's labels away: verb {DRIVES.verbs[0]} on {DRIVES.resource.plural}.{DRIVES.resource.group}.",
    }
    yield {
        "expression": f"!variables.raised || variables.envelope.contains('{PAYLOAD_TYPE}')",
        "messageExpression": f"""'No signed statement allows ' + string(variables.share)
+ ' % of the traffic of endpoint ' + variables.endpoint
+ ' for its candidate: annotation {evidence.EVIDENCE} is missing. Let a rollout move it.'""",
    }
    yield {
        "expression": """!variables.raised ||
(variables.allows.matches('^[0-9]{1,3}$') && int(variables.allows) >= variables.share)""",
        "messageExpression": """'The statement allows ' + (variables.allows == '' ? 'no' : variables.allows)
+ ' %, not ' + string(variables.share) + ' %, of the traffic of endpoint ' + variables.endpoint
+ ' for its candidate.'""",
    }


def _recorded() -> dict[str, str]:
    """Of each record of the namespace; all but the endpoint's own agree. A statement is asked for by the other one."""
    candidate, run = (f"params.?data[?'{name}'].orValue('none')" for name in (record.CANDIDATE, record.RUN))
    return {
        "expression": f"""!variables.raised || variables.envelope == ''
|| params.metadata.name != variables.endpoint + '-endpoint'
|| ({candidate} == variables.candidate && {run} == variables.run)""",
        "messageExpression": f"""'The statement is about package ' + variables.candidate + ' in run ' + variables.run
+ '; endpoint ' + variables.endpoint + ' has candidate ' + {candidate} + ' in run ' + {run} + '.'""",
    }


def _share(resource: Resource, name: str) -> str:
    """CEL: the largest share that a part of the object gives to the candidate."""
    shares = SHARES[resource].replace("OBJ", name).replace("NAME", ENDPOINT_NAME)
    return f"([0] + {shares}).max()"


def _name(resource: Resource) -> str:
    return f"seaway-rollouts-{resource.plural}"


def _head(kind: str, name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "seaway", "app.kubernetes.io/component": "rollouts"}
    return {"apiVersion": ADMISSION, "kind": kind, "metadata": {"name": name, "labels": labels}}
