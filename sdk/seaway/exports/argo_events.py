"""Events of Argo that start a pipeline: a webhook for whoever has news, and a Sensor that submits the Workflow.

The Workflow is that of `seaway export argo`. What a request has under `parameters` becomes the run's parameters.
"""

from typing import Any

import yaml

from seaway.exports.argo import Argo
from seaway.exports.port import Source

PORT = "12000"
API = "argoproj.io/v1alpha1"
DEPENDENCY, TOKEN, ACCOUNT = "news", "token", "workflow-submitter"


class ArgoEvents:
    """An EventSource and a Sensor."""

    file = "{name}.events.yaml"
    apart = False
    losses = Argo.losses
    advice = (
        "Make the Secret {name}-events with the key 'token', the service account workflow-submitter that may create "
        'workflows, and an EventBus; then: kubectl apply -f {file}, and POST {{"parameters": "{{}}"}} to the '
        "service {name}-events-eventsource-svc with 'Authorization: Bearer TOKEN'."
    )

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        workflow = yaml.safe_load(Argo().write(source))
        documents = [_event_source(source.name), _sensor(source.name, workflow)]
        return "# Made by `seaway export argo-events`.\n" + yaml.safe_dump_all(documents, sort_keys=False, width=120)


def _event_source(name: str) -> dict[str, Any]:
    """A webhook that asks for a bearer token."""
    webhook = {
        "port": PORT,
        "endpoint": f"/{name}",
        "method": "POST",
        "authSecret": {"name": f"{name}-events", "key": TOKEN},
    }
    spec = {"service": {"ports": [{"port": int(PORT), "targetPort": int(PORT)}]}, "webhook": {name: webhook}}
    return {"apiVersion": API, "kind": "EventSource", "metadata": {"name": f"{name}-events"}, "spec": spec}


def _sensor(name: str, workflow: dict[str, Any]) -> dict[str, Any]:
    told = {
        "src": {"dependencyName": DEPENDENCY, "dataKey": "body.parameters", "value": _default(workflow)},
        "dest": "spec.arguments.parameters.0.value",
    }
    trigger = {
        "name": name,
        "argoWorkflow": {"operation": "submit", "source": {"resource": workflow}, "parameters": [told]},
    }
    spec = {
        "template": {"serviceAccountName": ACCOUNT},
        "dependencies": [{"name": DEPENDENCY, "eventSourceName": f"{name}-events", "eventName": name}],
        "triggers": [{"template": trigger, "retryStrategy": {"steps": 3}}],
    }
    return {"apiVersion": API, "kind": "Sensor", "metadata": {"name": name}, "spec": spec}


def _default(workflow: dict[str, Any]) -> str:
    """What a run has of which nothing is told."""
    return str(workflow["spec"]["arguments"]["parameters"][0]["value"])
