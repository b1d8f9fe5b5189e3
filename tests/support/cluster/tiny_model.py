"""Models without weights: pods that answer the Open Inference Protocol with the logistic function of `x` plus a bias.

They stand in for model servers where the routing before them is what is tested; each start takes a second.
"""

import functools
import json
from typing import Any

from jobs import NOBODY, RESTRICTED
from kubernetes import client

import images

NAME = "tiny"
PORT = 8080
SERVER = r"""
import json, math, os, random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SETTINGS = json.loads(os.environ["SETTINGS"])
NAME, VERSION = SETTINGS["name"], SETTINGS["version"]
METADATA = {
    "name": NAME, "versions": [VERSION], "platform": "test",
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1]}],
    "outputs": [{"name": "probability", "datatype": "FP32", "shape": [-1, 1]}],
}

class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.say(200, METADATA if self.path == f"/v2/models/{NAME}" else {"live": True, "ready": True})

    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if random.random() < SETTINGS["failing"]:
            return self.say(500, {"error": "broken"})
        values = [1 / (1 + math.exp(-x - SETTINGS["bias"])) for x in content["inputs"][0]["data"]]
        output = {"name": "probability", "datatype": "FP32", "shape": [len(values), 1], "data": values}
        self.say(200, {"outputs": [output]})

    def say(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-seaway-version", VERSION)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass

class Server(ThreadingHTTPServer):
    request_queue_size = 128

Server(("", 8080), Model).serve_forever()
"""


@functools.cache
def python_image() -> str:
    """Debian's Python 3.11, nothing else."""
    return images.python_image()


def deployment(version: str, name: str = NAME, *, bias: float = 0.0, failing: float = 0.0) -> dict[str, Any]:
    """One pod that serves one version; `failing` is the share of requests answered by 500."""
    settings = {"name": name, "version": version, "bias": bias, "failing": failing}
    container = {
        "name": "model",
        "image": python_image(),
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", SERVER],
        "env": [{"name": "SETTINGS", "value": json.dumps(settings)}],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {
            "httpGet": {"path": "/v2/health/ready", "port": PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 10,
        },
        "securityContext": RESTRICTED,
    }
    marks = labels(version, name)
    pod = {"terminationGracePeriodSeconds": 1, "securityContext": NOBODY, "containers": [container]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{name}-{version}", "labels": marks},
        "spec": {
            "selector": {"matchLabels": marks},
            "template": {"metadata": {"labels": marks}, "spec": pod},
        },
    }


def labels(version: str, name: str = NAME) -> dict[str, str]:
    return {"seaway.dev/endpoint": name, "seaway.dev/version": version}


def service(arm: str, version: str, name: str = NAME) -> dict[str, Any]:
    """The Service of an arm."""
    ports = [{"name": "http", "port": 80, "targetPort": PORT}]
    metadata = {"name": f"{name}-{arm}", "labels": labels(version, name)}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels(version, name), "ports": ports},
    }


def start(api: client.ApiClient, namespace: str, arms: dict[str, dict[str, Any]], name: str = NAME) -> None:
    """Deployments and Services of arms, by arm the settings of `deployment` with its version."""
    for arm, settings in arms.items():
        client.AppsV1Api(api).create_namespaced_deployment(namespace, deployment(name=name, **settings))
        client.CoreV1Api(api).create_namespaced_service(namespace, service(arm, settings["version"], name))
