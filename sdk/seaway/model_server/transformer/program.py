"""The transformer as a process: listens on loopback, or in a pod on all addresses, until it is told to end."""

import socket
from collections.abc import Callable

import uvicorn

from seaway.model_server.ports import LOOPBACK, require_free
from seaway.model_server.transformer.application import Transformer, Upstream
from seaway.model_server.transformer.form import Form
from seaway.model_server.transformer.lookup import Features, Lookup, Patience
from seaway.serving.clients.http import Client

ENDING_S = 4  # for requests that are being answered
IDLE_S = 60 * 60  # as long as Envoy keeps a connection that nobody uses: a caller's next request may be on its way


def serve(
    upstream: Upstream,
    opened: Callable[[], Features],
    patience: Patience,
    port: int = 0,
    address: str = LOOPBACK,
    told: Callable[[str, Form], object] = lambda _url, _form: None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        upstream: the endpoint.
        opened: makes the features that are looked up, once for each thread.
        patience: with the store.
        port: to listen on; 0 for any free one.
        address: to listen on.
        told: is told the URL and the form, once requests are taken.

    Raises:
        PortTaken: the port is in use.
        InferenceUnavailable, InferenceRefused: the endpoint does not tell its model's inputs.
        InvalidSpec: the model takes none of the features.
    """
    if port:
        require_free(port)
    lookup = Lookup(opened, patience)
    with Client(upstream.url, upstream.tokens()[0], host=upstream.host, trust=upstream.trust) as client:
        form = Form(client.metadata(upstream.model), lookup.keys, lookup.features)
    application = Transformer(upstream, lookup, form).application
    config = uvicorn.Config(
        application, http="httptools", loop="uvloop", ws="none", lifespan="on", access_log=False, log_config=None,
        server_header=False, timeout_graceful_shutdown=ENDING_S, timeout_keep_alive=IDLE_S,
    )  # fmt: skip
    with socket.create_server((address, port)) as listening:
        told(f"http://{address}:{listening.getsockname()[1]}", form)
        uvicorn.Server(config).run(sockets=[listening])
