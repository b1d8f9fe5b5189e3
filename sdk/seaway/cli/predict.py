"""`seaway predict`: one request to an endpoint of this machine or of a cluster."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import typer

from seaway import platforms
from seaway.cli.output import print_json, print_table
from seaway.errors import EndpointFailed, InvalidSpec


def predict_rows(
    name: str,
    inputs: str,
    run: str | None,
    arm: str | None,
    url: str | None,
    grpc: bool,
    tls: tuple[Path | None, Path | None, Path | None],
    as_json: bool,
) -> None:
    """Ask for the outputs of `inputs` and print them, one line a row; `tls` is CA, certificate and key."""
    from seaway.serving import Client, GrpcClient, Trust
    from seaway.serving.clients.values import plain_answer

    endpoint = newest(name, run)
    kind = GrpcClient if grpc else Client
    where = {"url": url or endpoint.url, "token": endpoint.token(), "host": endpoint.host, "trust": Trust.of(*tls)}
    with Client(**where) as rest:  # whose metadata tell which inputs are bytes
        columns = _with_files(_columns(inputs), rest.binary(name))
    with kind(**where) as client:
        outputs = client.infer(name, columns, arm)
        answered = client.arm
    answers = {output: [plain_answer(value) for value in array.tolist()] for output, array in outputs.items()}
    if as_json:
        print_json({"arm": answered, "outputs": answers})
        return
    rows = zip(*answers.values(), strict=True)
    print_table(list(answers), [[json.dumps(value) for value in row] for row in rows])
    if answered:
        typer.echo(f"answered by the {answered} arm", err=True)


def newest(name: str, run: str | None) -> Any:
    """The endpoint of that name that was deployed last. Raises: EndpointFailed."""
    from seaway.serving import Endpoint

    endpoints = platforms.current(Endpoint)
    found = [
        endpoint
        for endpoint in endpoints.list()
        if endpoint.name == name and endpoint.url and run in (None, endpoint.run)
    ]
    if not found:
        of_run = f" of run {run}" if run else ""
        raise EndpointFailed(
            f"No endpoint {name}{of_run} serves here; `seaway serve` or a pipeline run starts one. One of a cluster is "
            "found with --platform kubernetes."
        )
    return endpoints.with_token(max(found, key=lambda endpoint: endpoint.deployed))


def _columns(text: str) -> dict[str, Any]:
    """Inputs by name: JSON, the name of a file that holds it, or `-` for standard input. Raises: InvalidSpec."""
    try:
        if text == "-":
            text = sys.stdin.read()
        elif not text.lstrip().startswith("{"):
            text = Path(text).read_text(encoding="utf-8")
        columns = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidSpec(f"The inputs cannot be read: {error}. Give JSON, a file that holds it, or -.") from error
    if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
        raise InvalidSpec('The inputs are no lists by name; write {"plan": ["pro"], "income": [2475.0]}.')
    return columns


def _with_files(columns: dict[str, Any], binary: set[str]) -> dict[str, Any]:
    """The bytes of binary inputs, whose values are base64 or `@` and the name of a file. Raises: InvalidSpec."""
    return {name: [_bytes(value) for value in values] if name in binary else values for name, values in columns.items()}


def _bytes(value: Any) -> Any:
    try:
        if isinstance(value, str) and value.startswith("@"):
            return Path(value[1:]).read_bytes()
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except (OSError, ValueError) as error:
        raise InvalidSpec(f"{value[:80]!r} is neither base64 nor @ and the name of a file: {error}.") from error
