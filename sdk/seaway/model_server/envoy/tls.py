"""TLS of a listener of Envoy's. Certificates are secrets by file (SDS): Envoy follows a rename of what they name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seaway.model_server.envoy.config import TYPE
from seaway.serving.tls import Tls
from seaway.storage import write_private

KIND = f"{TYPE}.extensions.transport_sockets.tls.v3"
CERTIFICATE, CLIENT_CA = "certificate", "client-ca"  # secrets, each a file of its own
PROTOCOLS = ["h2", "http/1.1"]  # gRPC asks for the first, REST for the second


def transport_socket(folder: Path, tls: Tls) -> dict[str, Any]:
    """What a filter chain says, once the files that it names are written into `folder`."""
    common: dict[str, Any] = {
        "alpn_protocols": PROTOCOLS,
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificate_sds_secret_configs": [
            _secret(folder, CERTIFICATE, {"tls_certificate": {**_file("certificate_chain", tls.certificate),
                                                              **_file("private_key", tls.key)}})
        ],
    }  # fmt: skip
    if tls.client_ca:
        trusted = {"validation_context": _file("trusted_ca", tls.client_ca)}
        common["validation_context_sds_secret_config"] = _secret(folder, CLIENT_CA, trusted)
    context = {"require_client_certificate": bool(tls.client_ca), "common_tls_context": common}
    typed = {"@type": f"{KIND}.DownstreamTlsContext", **context}
    return {"name": "envoy.transport_sockets.tls", "typed_config": typed}


def _secret(folder: Path, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A reference to the secret, written beside Envoy's other files; keys stay where their owner has them."""
    file = folder / f"{name}.json"
    resources = [{"@type": f"{KIND}.Secret", "name": name, **value}]
    write_private(file, json.dumps({"resources": resources}))
    source = {"path_config_source": {"path": str(file)}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": source}


def _file(name: str, path: Path) -> dict[str, Any]:
    return {name: {"filename": str(path)}}
