"""How an endpoint is called, from wherever the reader of the page is."""

import ipaddress
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from seaway.reporting.page import Block, Code, Text

FORWARDED = 8080  # the port of the reader's machine that leads to a Service of the cluster
IN_CLUSTER = (".svc", ".svc.cluster.local")


@dataclass(frozen=True)
class Call:
    """Where requests go, what must run before, and how the token is come by: a shell's words each.

    `host` is the Host header by which a shared gateway knows the endpoint; empty where the URL is the endpoint's own.
    """

    told: str
    url: str
    token: str
    before: str = ""
    host: str = ""

    @classmethod
    def of(cls, endpoint: Mapping[str, Any]) -> Self:
        """From `endpoint.json`: its token is a file of this machine, or a key of a Secret."""
        if not endpoint.get("secret"):
            file = endpoint["token_file"]
            told = f"asks for the bearer token in {file}. `seaway down` ends it."
            return cls(told, endpoint["url"], f"cat {shlex.quote(file)}", host=endpoint.get("host", ""))
        namespace, _, secret = endpoint["secret"].partition("/")
        name, host = endpoint["name"], endpoint.get("host", "")
        asked = f", for the host {host}," if host else ""
        told = f"asks{asked} for the bearer token under {name} in the Secret {secret} of the namespace {namespace}."
        key = shlex.quote(f"jsonpath={{.data.{name}}}")
        token = f"kubectl -n {namespace} get secret {secret} -o {key} | base64 -d"
        url, before = _from_outside(urlsplit(endpoint["url"]), namespace)
        return cls(told, url, token, before, host)


def calling_blocks(endpoint: Mapping[str, Any], signature: Mapping[str, Any]) -> list[Block]:
    """How to call the endpoint, with the first row of the signature's sample; the token itself is not told."""
    call = Call.of(endpoint)
    return [
        Text(told(endpoint)),
        Code(_shell(call, endpoint["name"], signature), "From a shell"),
        Code(_python(call, endpoint["name"], signature), "From Python"),
    ]


def open_address(endpoint: Mapping[str, Any]) -> str:
    """The endpoint's address where a browser finds it; empty where it is the cluster's own."""
    return "" if Call.of(endpoint).before else str(endpoint["url"])


def told(endpoint: Mapping[str, Any]) -> str:
    """In a sentence or two: where the endpoint is, and what it asks for."""
    call = Call.of(endpoint)
    text = f"The endpoint speaks the Open Inference Protocol at {endpoint['url']} and {call.told}"
    if call.before:
        text += f" That address is the cluster's; from outside `{call.before.removesuffix(' &')}` leads to it."
    return text


def _from_outside(url: SplitResult, namespace: str) -> tuple[str, str]:
    """A URL that works outside the cluster, and the command that must run for it; none where the URL itself does."""
    service = _service(url.hostname or "", namespace)
    if service is None or url.scheme != "http":
        return url.geturl(), ""
    name, place = service
    forward = f"kubectl -n {place} port-forward service/{name} {FORWARDED}:{url.port or 80} &"
    return url._replace(netloc=f"127.0.0.1:{FORWARDED}").geturl(), forward


def _service(host: str, namespace: str) -> tuple[str, str] | None:
    """Name and namespace of the Service that a host name of the cluster means: `NAME`, `NAME.NAMESPACE`, or with `.svc`
    after it; None for any other."""
    bare = next((host.removesuffix(end) for end in sorted(IN_CLUSTER, key=len, reverse=True) if host.endswith(end)), "")
    labels = (bare or host).split(".")
    if _is_address(host) or len(labels) > 2:  # noqa: PLR2004 - a name and a namespace
        return None
    return labels[0], (labels[1:] or [namespace])[0]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _shell(call: Call, name: str, signature: Mapping[str, Any]) -> str:
    body = json.dumps({"inputs": [_tensor(spec, signature) for spec in signature["inputs"]]})
    headers = [f'"Authorization: Bearer $({call.token})"', "'Content-Type: application/json'"]
    headers += [shlex.quote(f"Host: {call.host}")] if call.host else []
    lines = [f"curl -s {call.url}/v2/models/{name}/infer", *(f"-H {header}" for header in headers)]
    command = " \\\n  ".join([*lines, f"-d {shlex.quote(body)}"])
    return f"{call.before}\n{command}" if call.before else command


def _python(call: Call, name: str, signature: Mapping[str, Any]) -> str:
    values = {spec["name"]: [[_first(spec, signature)]] for spec in signature["inputs"]}
    host = f", host={call.host!r}" if call.host else ""
    return (
        "import subprocess\n\nfrom seaway.serving import Client\n\n"
        f"token = subprocess.check_output({call.token!r}, shell=True, text=True).strip()\n"
        f"client = Client({call.url!r}, token{host})\n"
        f"print(client.infer({name!r}, {values!r}))"
    )


def _first(spec: Mapping[str, Any], signature: Mapping[str, Any]) -> Any:
    values = signature.get("sample", {}).get(spec["name"]) or [None]
    first = values[0]
    while isinstance(first, list) and first:
        first = first[0]
    return first


def _tensor(spec: Mapping[str, Any], signature: Mapping[str, Any]) -> dict[str, Any]:
    shape = [1, *spec["shape"][1:]]
    return {"name": spec["name"], "datatype": spec["datatype"], "shape": shape, "data": [_first(spec, signature)]}
