"""istiod and its gateway's Envoy, played: requests go as a namespace's VirtualServices say, to pods that are ready.

Routes of one host are merged as istiod does, those of the older object first. A Service that lacks the port, or has no
ready pod, answers 503. Istio's own is in tests/cluster.
"""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import http_server
from fake_workloads import is_ready, is_selected
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS, SERVICES, Resource
from seaway.platforms.kubernetes.serving.server_pod import VERSION
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES

Answer = tuple[int, Mapping[str, str], bytes]
BEHIND_S = 0.05  # istiod gathers changes
UNAVAILABLE: Answer = (503, {}, b"no healthy upstream")


@dataclass
class Istio:
    """A gateway; `answered` counts statuses, `copies` what was mirrored, by Service."""

    objects: Objects
    url: str = ""
    answered: Counter[int] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)
    seen: dict[Resource, tuple[float, list[dict[str, Any]]]] = field(default_factory=dict)

    def listed(self, resource: Resource) -> list[dict[str, Any]]:
        """What there was at most `BEHIND_S` ago."""
        at, items = self.seen.get(resource, (-BEHIND_S, []))
        if time.monotonic() - at >= BEHIND_S:
            items = self.objects.list(resource).items
            self.seen[resource] = (time.monotonic(), items)
        return items

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        status, given, body = self._answer(path, headers)
        self.answered[status] += 1
        return status, given, body

    def _answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        for route in self._routes(headers.get("host", "")):
            if any(matches(one, path, headers) for one in route.get("match", [{}])):
                return self._follow(route)
        return 404, {}, b""

    def _routes(self, host: str) -> Iterator[dict[str, Any]]:
        found = self.listed(VIRTUAL_SERVICES)
        for item in sorted(found, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"])):
            if {host.partition(":")[0], "*"} & set(item["spec"]["hosts"]):
                yield from item["spec"]["http"]

    def _follow(self, route: dict[str, Any]) -> Answer:
        marks = route.get("headers", {}).get("response", {}).get("set", {})
        if direct := route.get("directResponse"):
            return direct["status"], marks, direct.get("body", {}).get("string", "").encode()
        if "mirror" in route and random.uniform(0, 100) < route.get("mirrorPercentage", {}).get("value", 100):
            self._copy(route["mirror"])
        for one in route.get("mirrors", ()):
            self._copy(one["destination"])
        entries = route["route"]
        weights = [100] if len(entries) == 1 else [one.get("weight", 0) for one in entries]
        [entry] = random.choices(entries, weights)
        status, given, body = self._ask(entry["destination"])
        return status, {**given, **marks, **entry.get("headers", {}).get("response", {}).get("set", {})}, body

    def _copy(self, destination: dict[str, Any]) -> None:
        if self._ask(destination) != UNAVAILABLE:
            self.copies[destination["host"]] += 1

    def _ask(self, destination: dict[str, Any]) -> Answer:
        name = destination["host"].partition(".")[0]
        service = next((one for one in self.listed(SERVICES) if one["metadata"]["name"] == name), None)
        if service is None or destination["port"]["number"] not in [one["port"] for one in service["spec"]["ports"]]:
            return UNAVAILABLE
        chosen = [one for one in self.listed(PODS) if is_selected(one, service["spec"]["selector"])]
        versions = [one["metadata"]["labels"][VERSION] for one in chosen if is_ready(one)]
        if not versions:
            return UNAVAILABLE
        return 200, {"x-seaway-version": random.choice(versions)}, json.dumps({"live": True}).encode()


def matches(match: Mapping[str, Any], path: str, headers: Mapping[str, str]) -> bool:
    given = {name: headers.get(name) for name in match.get("headers", {})}
    named = all(is_text(want, given[name]) for name, want in match.get("headers", {}).items())
    return named and is_text(match.get("uri", {}), path)


def is_text(want: Mapping[str, str], given: str | None) -> bool:
    """An empty condition is met by whatever is there."""
    if given is None:
        return False
    if "exact" in want:
        return given == want["exact"]
    if "prefix" in want:
        return given.startswith(want["prefix"])
    return bool(re.fullmatch(want.get("regex", ".*"), given))


@contextmanager
def serving(objects: Objects) -> Iterator[Istio]:
    istio = Istio(objects)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {name.lower(): value for name, value in self.headers.items()}
            status, headers, body = istio.answer(self.path, asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http_server.serving(Handler) as server:
        istio.url = http_server.url(server)
        yield istio
