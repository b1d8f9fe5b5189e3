"""The call that a page tells can be made where its reader is: on this machine, or outside the cluster."""

import json
import shlex
from typing import Any

import pytest
from seaway.reporting.call_section import calling_blocks, open_address
from seaway.reporting.page import Code

SIGNATURE = {"inputs": [{"name": "wind", "datatype": "FP32", "shape": [-1, 1]}], "sample": {"wind": [2.0]}}


def codes(endpoint: dict[str, Any], signature: dict[str, Any] = SIGNATURE) -> tuple[str, str]:
    """What is to be typed into a shell, and into Python."""
    shell, python = (block.text for block in calling_blocks(endpoint, signature) if isinstance(block, Code))
    return shell, python


def on_cluster(url: str, host: str = "") -> dict[str, Any]:
    kept = {"token_file": "/state/token", "secret": "ml/seaway-endpoint-tokens"}
    return {"name": "small", "url": url, "host": host, **kept}


@pytest.mark.parametrize("text", ["JFK", "O'Hare", 'a"b$(id)`x`'])
def test_the_shell_command_sends_exactly_the_sample(text: str) -> None:
    signature = {
        "inputs": [
            {"name": "origin", "datatype": "BYTES", "shape": [-1, 1]},
            {"name": "wind", "datatype": "FP32", "shape": [-1, 1]},
        ],
        "sample": {"origin": [text, "LGA"], "wind": [[None], [2.0]]},
    }
    endpoint = {"name": "flights", "url": "http://127.0.0.1:1", "token_file": "/home/a b/token"}
    command = codes(endpoint, signature)[0]
    assert "$(cat '/home/a b/token')" in command
    words = shlex.split(command.replace("\\\n", " "))
    body = json.loads(words[words.index("-d") + 1])
    assert [tensor["data"] for tensor in body["inputs"]] == [[text], [None]]
    assert [tensor["shape"] for tensor in body["inputs"]] == [[1, 1], [1, 1]]


def test_the_python_snippet_compiles_with_any_name() -> None:
    signature = {"inputs": [{"name": "a'b", "datatype": "FP32", "shape": [-1, 1]}], "sample": {}}
    endpoint = {"name": "it's", "url": "http://127.0.0.1:1", "token_file": "/t'oken"}
    compile(codes(endpoint, signature)[1], "snippet", "exec")


@pytest.mark.parametrize(
    ("url", "forwarded"),
    [
        ("http://small-stable.ml.svc.cluster.local", "-n ml port-forward service/small-stable 8080:80"),
        ("http://gate.edge.svc:8081", "-n edge port-forward service/gate 8080:8081"),
        (
            "http://istio-ingressgateway.istio-system",
            "-n istio-system port-forward service/istio-ingressgateway 8080:80",
        ),
        ("http://seaway-istio/seldon/ml/small", "-n ml port-forward service/seaway-istio 8080:80"),
    ],
)
def test_an_address_of_the_cluster_is_led_to_from_outside(url: str, forwarded: str) -> None:
    """No path of a pod is told, which nobody else can read."""
    shell, python = codes(on_cluster(url, "small.ml"))
    first, command = shell.split("\n", 1)
    assert first == f"kubectl {forwarded} &"
    path = url.partition("//")[2].partition("/")[2]
    words = shlex.split(command.replace("\\\n", " "))
    assert words[2] == "/".join(["http://127.0.0.1:8080", *filter(None, [path]), "v2/models/small/infer"])
    assert "Host: small.ml" in words
    assert "kubectl -n ml get secret seaway-endpoint-tokens -o 'jsonpath={.data.small}' | base64 -d" in command
    compile(python, "snippet", "exec")
    assert "host='small.ml'" in python
    assert "/state/token" not in shell + python


@pytest.mark.parametrize("url", ["http://gateway.example.com", "http://10.0.0.7:30080", "https://models.example.com"])
def test_an_address_that_works_outside_is_called_as_it_is(url: str) -> None:
    shell, _ = codes(on_cluster(url))
    assert shell.startswith(f"curl -s {url}/v2/models/small/infer")
    assert "Host:" not in shell


def test_only_an_address_that_works_outside_is_linked_to() -> None:
    assert open_address(on_cluster("http://small-stable.ml.svc.cluster.local")) == ""
    assert open_address(on_cluster("http://gateway.example.com")) == "http://gateway.example.com"


def test_the_text_names_secret_and_host() -> None:
    told = str(calling_blocks(on_cluster("http://gateway.example.com", "small.ml"), SIGNATURE)[0])
    assert "the host small.ml" in told
    assert "under small in the Secret seaway-endpoint-tokens of the namespace ml" in told
