"""What istiod's webhook refuses beside the schemas (istio.io/istio, pkg/config/validation); as seen on Istio 1.31."""

import re
from collections.abc import Iterator, Mapping

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.manifests.fields import Part, entries, part, required, unique
from seaway.platforms.kubernetes.manifests.pod_rules import HIGHEST_PORT
from seaway.platforms.kubernetes.validation.problem import Problem, Rule, short

ROUTED = ("route", "redirect", "directResponse", "delegate")
SUBSET = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.IGNORECASE)
SECURED = ("HTTPS", "TLS")


def virtual_service_rules(manifest: Manifest) -> Iterator[Problem]:
    """Routes that lead somewhere."""
    spec = part(manifest, "spec")
    if not any(spec.get(kind) for kind in ("http", "tcp", "tls")):
        yield Problem("spec", "Required value: http, tcp or tls must be provided in virtual service")
    for path, route in entries(spec, "http", "spec"):
        if not any(route.get(kind) for kind in ROUTED):
            yield Problem(path, "Required value: HTTP route, redirect or direct_response is required")
        if route.get("redirect") and route.get("route"):
            yield Problem(path, "Invalid value: HTTP route cannot contain both route and redirect")
        for place, entry in entries(route, "route", path):
            destination = part(entry, "destination")
            yield from required(destination, f"{place}.destination", "host")
            yield from _port(part(destination, "port"), f"{place}.destination.port")


def _port(port: Part, field: str) -> Iterator[Problem]:
    number = port.get("number")
    if isinstance(number, int) and not 0 < number <= HIGHEST_PORT:
        yield Problem(f"{field}.number", f"Invalid value: {number}: must be in the range 1..{HIGHEST_PORT}")


def destination_rule_rules(manifest: Manifest) -> Iterator[Problem]:
    """A host, and subsets that a route can name."""
    spec = part(manifest, "spec")
    yield from required(spec, "spec", "host")
    subsets = entries(spec, "subsets", "spec")
    yield from unique((f"{path}.name", one.get("name")) for path, one in subsets)
    for path, one in subsets:
        if not SUBSET.fullmatch(one.get("name") or ""):
            yield Problem(f"{path}.name", f"Invalid value: {short(one.get('name'))}: subset name is invalid")


def gateway_rules(manifest: Manifest) -> Iterator[Problem]:
    """Servers with names of their own, and keys where there is TLS."""
    servers = entries(part(manifest, "spec"), "servers", "spec")
    if not servers:
        yield Problem("spec.servers", "Required value: gateway must have at least one server")
    for path, server in servers:
        yield from required(server, path, "hosts")
        protocol = part(server, "port").get("protocol") or ""
        if protocol.upper() in SECURED and not server.get("tls"):
            yield Problem(f"{path}.tls", "Required value: server must have TLS settings for HTTPS/TLS protocols")
        yield from required(part(server, "port"), f"{path}.port", "name", "number")
        yield from _port(part(server, "port"), f"{path}.port")
    yield from unique((f"{path}.port.name", part(server, "port").get("name")) for path, server in servers)


def authorization_rules(manifest: Manifest) -> Iterator[Problem]:
    """Rules none of whose parts is empty, for an empty one would match nothing or all."""
    for path, rule in entries(part(manifest, "spec"), "rules", "spec"):
        for name, inner in (("from", "source"), ("to", "operation")):
            for place, one in entries(rule, name, path):
                if not any(value not in (None, [], {}, "") for value in part(one, inner).values()):
                    yield Problem(f"{place}.{inner}", "Required value: must not be empty")
        for place, one in entries(rule, "when", path):
            yield from required(one, place, "key")
            if not one.get("values") and not one.get("notValues"):
                yield Problem(place, "Required value: at least one of `values` or `notValues` must be set")


RULES: Mapping[tuple[str, str], Rule] = {
    ("networking.istio.io", "VirtualService"): virtual_service_rules,
    ("networking.istio.io", "DestinationRule"): destination_rule_rules,
    ("networking.istio.io", "Gateway"): gateway_rules,
    ("security.istio.io", "AuthorizationPolicy"): authorization_rules,
}
