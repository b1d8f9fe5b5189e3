"""What istiod's webhook refuses beside the schemas (istio.io/istio, pkg/config/validation); as seen on Istio 1.31."""

from collections.abc import Iterator, Mapping

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.manifests.fields import entries, part, required, unique
from seaway.platforms.kubernetes.manifests.istio_route_rules import SUBSET, host, http_route, port
from seaway.platforms.kubernetes.validation.problem import Problem, Rule, short

SECURED = ("HTTPS", "TLS")


def virtual_service_rules(manifest: Manifest) -> Iterator[Problem]:
    """Routes that lead somewhere."""
    spec = part(manifest, "spec")
    if not any(spec.get(kind) for kind in ("http", "tcp", "tls")):
        yield Problem("spec", "Required value: http, tcp or tls must be provided in virtual service")
    if not spec.get("hosts"):
        for name in ("gateways", "tls", "tcp"):
            if spec.get(name):
                yield Problem(f"spec.{name}", f"Invalid value: delegate virtual service must have no {name} specified")
    for index, name in enumerate(spec.get("hosts") or ()):
        yield from host(name, f"spec.hosts[{index}]")
    gateways = spec.get("gateways") or ["mesh"]
    if "*" in (spec.get("hosts") or ()) and "mesh" in gateways:
        yield Problem("spec.hosts", "Invalid value: wildcard host * is not allowed for the mesh gateway")
    for path, route in entries(spec, "http", "spec"):
        yield from http_route(route, path)


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
        yield from port(part(server, "port").get("number"), f"{path}.port.number")
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
