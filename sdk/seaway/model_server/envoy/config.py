"""What Envoy's configuration is made of: routes of the Open Inference Protocol, clusters, listeners.

gRPC needs no server of its own: Envoy's bridge hands the bare message of a unary call to the same HTTP/1.1 server that
answers REST, as `application/x-protobuf`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.serving.callers import Caller
from seaway.serving.protocol.binary import EXTENSION
from seaway.serving.protocol.grpc_messages import CONTENT_TYPE, MESSAGE, SERVICE, STATUS
from seaway.serving.protocol.other_servers import PATHS
from seaway.serving.protocol.request import LARGEST_MESSAGE

TYPE = "type.googleapis.com/envoy"
REQUEST_TIMEOUT_S = 30
LATENCY_BUCKETS_MS = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750),
    *(1000, 2000, 5000, 10000, 30000),
)
UNAUTHORIZED = "The bearer token is missing or wrong; see the endpoint's token file."
MARK = "x-seaway-request"  # of a request that the handler answers without the model
GRPC_INFER = f"/{SERVICE}/ModelInfer"
GRPC_MARKS = {"ServerLive": "ready", "ServerReady": "ready", "ModelReady": "ready", "ServerMetadata": "server",
              "ModelMetadata": "metadata"}  # fmt: skip

RECEIVE_S = 60  # for a whole request to come, and for its headers
BRIDGE = "grpc_http1_reverse_bridge.v3"
UNBRIDGED = {
    "envoy.filters.http.grpc_http1_reverse_bridge": {
        "@type": f"{TYPE}.extensions.filters.http.{BRIDGE}.FilterConfigPerRoute",
        "disabled": True,
    }
}  # Envoy's own answers to gRPC are gRPC already
LIMIT, LIMITER = "local_ratelimit.v3.LocalRateLimit", "envoy.filters.http.local_ratelimit"
ANY_NUMBER = 2**32 - 1  # of a bucket that nobody empties
REFILL_S = 1  # buckets are full again after it, so a refused caller may ask again then
CALLER = "caller"  # by which a request takes from its caller's bucket
UNLIMITED = {
    LIMITER: {
        "@type": f"{TYPE}.extensions.filters.http.{LIMIT}",
        "stat_prefix": "unlimited",
        "token_bucket": {"max_tokens": 1, "fill_interval": "1s"},  # must be there, and is not asked: nothing enables it
    }
}  # neither what strangers send nor health uses up what the token's owner may ask
LOGGED = {
    "at": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:ORIG_OR_PATH)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "why": "%RESPONSE_CODE_DETAILS%",
    "ms": "%DURATION%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "server": "%UPSTREAM_CLUSTER%",
    "peer": "%DOWNSTREAM_PEER_SUBJECT%",
}  # of the access log: neither headers, which have the token, nor what is asked or answered
GRPC_STATUS = f"""
function envoy_on_response(handle)
  local status, message = handle:headers():get("{STATUS}"), handle:headers():get("{MESSAGE}")
  if status then
    local trailers = handle:trailers()
    trailers:replace("grpc-status", status)
    trailers:replace("grpc-message", message)
  end
end
"""


@dataclass(frozen=True)
class Server:
    """A model server as Envoy reaches it: a cluster, and the key that it takes in place of the user's token."""

    cluster: str
    key: str


def protocol_routes(
    model: str, tokens: Sequence[str], infer: Sequence[Mapping[str, Any]], control: Server
) -> list[dict[str, Any]]:
    """The Open Inference Protocol's paths, REST and gRPC, for whoever has one of the tokens.

    Those that TorchServe lacks are rewritten to its `infer` with a mark, and go to `control`; `infer` are the routes
    of inference requests themselves.
    """
    path = f"/v2/models/{model}"
    known = [exact("authorization", f"Bearer {token}") for token in tokens]
    return [
        {
            "match": {"prefix": "/", "headers": [{**one, "invert_match": True} for one in known]},
            **answer(401, {"error": UNAUTHORIZED}),
        },
        *map(_plain, infer),
        _plain(marked("/v2/health/ready", model, "ready", control)),
        _plain(marked(f"{path}/ready", model, "ready", control)),
        _plain(marked(path, model, "metadata", control)),
        *(_plain(marked(f"/{SERVICE}/{call}", model, mark, control)) for call, mark in GRPC_MARKS.items()),
        {"match": {"path": "/v2/health/live"}, **answer(200, {"live": True})},
        {"match": {"path": "/v2"}, **answer(200, {"name": "seaway", "version": "2", "extensions": [EXTENSION]})},
        {"match": {"prefix": "/"}, **answer(404, {"error": f"No such path; this endpoint serves {path}."})},
    ]


def _plain(route: Mapping[str, Any]) -> dict[str, Any]:
    """The route without what a caller's headers would have the model server do.

    TorchServe takes forms apart and fails on broken ones, and refuses an unknown `Expect` while the body is still to
    come, which the next request on that connection then begins with.
    """
    path = route["match"]["path"]
    forms = [kind for kind, form in PATHS.items() if path.startswith(form.partition("{")[0])]
    form = [] if path.startswith(f"/{SERVICE}/") else [header("content-type", *forms or ["application/json"])]
    return {
        **route,
        "request_headers_to_add": [*route.get("request_headers_to_add", ()), *form],
        "request_headers_to_remove": ["expect", MARK],  # before the others are added
    }


def infer_path(model: str) -> str:
    """Where TorchServe answers inference requests."""
    return f"/v2/models/{model}/infer"


def infer_paths(model: str) -> dict[str, str]:
    """Paths of inference requests by the name of their route: REST's, gRPC's, and those of other servers' clients."""
    others = {f"infer-{place}": path.format(model) for place, path in enumerate(PATHS.values(), start=1)}
    return {"infer": infer_path(model), "grpc-infer": GRPC_INFER, **others}


def split(model: str, weights: Mapping[str, int], servers: Mapping[str, Server]) -> dict[str, Any]:
    """A route action: per cent by arm; the answer's header says which arm it was."""
    clusters = [
        {
            "name": servers[arm].cluster,
            "weight": weight,
            "request_headers_to_add": [authorization(servers[arm].key)],
            "response_headers_to_add": [header("x-seaway-arm", arm)],
        }
        for arm, weight in weights.items()
    ]
    return {"weighted_clusters": {"clusters": clusters}, **forwarding(model)}


def mirror(server: Server, percent: int) -> dict[str, Any]:
    """A mirror policy: the server gets copies, with its own key, and its answers go nowhere."""
    return {
        "cluster": server.cluster,
        "runtime_fraction": {"default_value": {"numerator": percent, "denominator": "HUNDRED"}},
        "request_headers_mutations": [{"append": authorization(server.key)}],
    }


def forwarding(model: str) -> dict[str, Any]:
    """How long an inference request may take, and when it is sent again: only where no server has seen it."""
    return {
        "prefix_rewrite": infer_path(model),
        "timeout": f"{REQUEST_TIMEOUT_S}s",
        "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 2},
    }


def marked(path: str, model: str, mark: str, server: Server) -> dict[str, Any]:
    """A route to the model server's `infer`, with a mark that has the handler answer something else."""
    return {
        "match": {"path": path},
        "route": {"cluster": server.cluster, "prefix_rewrite": infer_path(model)},
        "typed_per_filter_config": UNLIMITED,
        "request_headers_to_add": [authorization(server.key), header(MARK, mark)],
    }


def answer(status: int, body: object) -> dict[str, Any]:
    """A route that Envoy answers itself."""
    return {
        "direct_response": {"status": status, "body": {"inline_string": json.dumps(body)}},
        "typed_per_filter_config": {**UNBRIDGED, **UNLIMITED},
        "response_headers_to_add": [header("content-type", "application/json")],
    }


def header(key: str, value: str) -> dict[str, Any]:
    """A header to be set, in the place of what was there."""
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def authorization(key: str) -> dict[str, Any]:
    """The header by which TorchServe knows who may ask."""
    return header("authorization", f"Bearer {key}")


def exact(name: str, value: str) -> dict[str, Any]:
    """A header that must have this value."""
    return {"name": name, "string_match": {"exact": value}}


def cluster(name: str, socket: Path) -> dict[str, Any]:
    """An HTTP/1.1 server on a Unix socket."""
    endpoint = {"endpoint": {"address": socket_of(socket)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def listener(
    name: str,
    address: Mapping[str, Any],
    routes: Mapping[str, Any],
    filters: Sequence[Mapping[str, Any]],
    log: Path | None = None,
    transport: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """HTTP/1.1 and, without TLS by prior knowledge, HTTP/2.

    Args:
        name: the listener's.
        address: `port_of` or `socket_of`.
        routes: `route_config` or `rds`.
        filters: of requests.
        log: file of the access log; None writes none.
        transport: transport socket of TLS; None has none.
    """
    manager = {
        "@type": f"{TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "request_timeout": f"{RECEIVE_S}s",
        "request_headers_timeout": f"{RECEIVE_S}s",
        **({"access_log": [_access_log(log)]} if log else {}),
        **routes,
        "http_filters": [
            *map(dict, filters),
            _filter("router", "router.v3.Router", {"suppress_envoy_headers": True}),
        ],
    }
    return {
        "name": name,
        "address": dict(address),
        "enable_reuse_port": False,  # by default two endpoints could share a port, each with some of the requests
        "filter_chains": [
            {
                "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
                **({"transport_socket": dict(transport)} if transport else {}),
            }
        ],
    }


def port_of(address: str, port: int) -> dict[str, Any]:
    """Where a listener is reached over the network."""
    return {"socket_address": {"address": address, "port_value": port}}


def socket_of(path: Path) -> dict[str, Any]:
    """Where a server or a listener is reached by its owner on this machine."""
    return {"pipe": {"path": str(path), "mode": 0o600}}


def request_filters() -> list[dict[str, Any]]:
    """Hold a request until it is whole, and turn a unary gRPC call into an HTTP/1.1 request of the message, and back.

    Before both a limit, which the routes' `limits` say: those change without a restart.

    A server needs the whole request in any case. So one that is too large or comes slowly never reaches it, and cannot
    look as if the server had failed. The bridge knows no other status than that of HTTP, so a refusal tells its own in
    headers, which become trailers.
    """
    bridge = {"content_type": CONTENT_TYPE, "withhold_grpc_frames": True}
    return [
        _filter("local_ratelimit", LIMIT, {"stat_prefix": "requests"}),
        _filter("buffer", "buffer.v3.Buffer", {"max_request_bytes": LARGEST_MESSAGE}),
        _filter("lua", "lua.v3.Lua", {"default_source_code": {"inline_string": GRPC_STATUS}}),
        _filter("grpc_http1_reverse_bridge", f"{BRIDGE}.FilterConfig", bridge),
    ]


def limits(per_s: int, callers: Sequence[Caller]) -> dict[str, Any]:
    """What a virtual host adds so that no more inference requests a second go on than `per_s` in all, and than each
    caller's own number; where those are 0, any. Others are answered 429, and told when to ask again."""
    limited = [caller for caller in callers if caller.requests_per_s]
    if not (per_s or limited):
        return {}
    every = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    settings = {
        "@type": f"{TYPE}.extensions.filters.http.{LIMIT}",
        "stat_prefix": "requests",
        "token_bucket": _bucket(per_s or ANY_NUMBER),
        "filter_enabled": every,
        "filter_enforced": every,
        "rate_limited_as_resource_exhausted": True,  # gRPC's word for it
        "response_headers_to_add": [header("retry-after", str(REFILL_S))],
        "descriptors": [
            {"entries": [{"key": CALLER, "value": one.name}], "token_bucket": _bucket(one.requests_per_s)}
            for one in limited
        ],
    }
    takes = [_takes_from(one.name, token) for one in limited for token in one.tokens]
    return {"typed_per_filter_config": {LIMITER: settings}, "rate_limits": takes}


def _takes_from(caller: str, token: str) -> dict[str, Any]:
    match = {
        "descriptor_key": CALLER,
        "descriptor_value": caller,
        "headers": [exact("authorization", f"Bearer {token}")],
    }
    return {"actions": [{"header_value_match": match}]}


def _bucket(per_s: int) -> dict[str, Any]:
    return {"max_tokens": per_s, "tokens_per_fill": per_s, "fill_interval": f"{REFILL_S}s"}


def _access_log(file: Path) -> dict[str, Any]:
    logger = {"path": str(file), "log_format": {"json_format": LOGGED}}
    kind = f"{TYPE}.extensions.access_loggers.file.v3.FileAccessLog"
    return {"name": "envoy.access_loggers.file", "typed_config": {"@type": kind, **logger}}


def health_check(path: str) -> dict[str, Any]:
    """The filter that answers `path` with 503 once Envoy has been told to fail its health checks."""
    matcher = {"name": ":path", "string_match": {"exact": path}}
    return _filter("health_check", "health_check.v3.HealthCheck", {"pass_through_mode": True, "headers": [matcher]})


def latency_buckets() -> dict[str, Any]:
    """Envoy's `stats_config`: bounds of latency histograms, in milliseconds."""
    buckets = {"match": {"suffix": "upstream_rq_time"}, "buckets": list(LATENCY_BUCKETS_MS)}
    return {"histogram_bucket_settings": [buckets]}


def _filter(name: str, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    typed = {"@type": f"{TYPE}.extensions.filters.http.{kind}", **settings}
    return {"name": f"envoy.filters.http.{name}", "typed_config": typed}
