"""Clients of an endpoint: where they send the token, what they make of values and of odd answers."""

import base64
import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import grpc
import http_server
import numpy as np
import pandas as pd
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InferenceRefused, InferenceUnavailable, InvalidSpec
from seaway.serving import Client, GrpcClient
from seaway.serving.clients.address import Address
from seaway.serving.clients.values import as_array, as_json, as_tensor
from seaway.serving.protocol.grpc_messages import SERVICE, metadata_response, raw_contents
from seaway.serving.protocol.open_inference_pb2 import ModelInferRequest, ModelInferResponse
from seaway.serving.protocol.request import LARGEST_MESSAGE

DATATYPES = {"kind": "BYTES", "price": "FP32", "count": "INT8", "open": "BOOL"}
METADATA = {
    "name": "shop",
    "versions": ["1"],
    "platform": "any",
    "inputs": [{"name": name, "datatype": datatype, "shape": [-1, 1]} for name, datatype in DATATYPES.items()],
    "outputs": [{"name": "p", "datatype": "FP32", "shape": [-1, 1]}],
}
ANSWER = {"outputs": [{"name": "p", "datatype": "FP32", "shape": [1, 1], "data": [0.5]}]}
ROW = {"kind": ["a"], "price": [None], "count": [1], "open": [True]}
TOKEN = "the-token"  # noqa: S105


class Shop(BaseHTTPRequestHandler):
    """Answers with `answer`, or metadata and one prediction; keeps the first lines of what it hears."""

    protocol_version = "HTTP/1.1"
    answer: bytes | None = None
    heard: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.reply(METADATA)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.reply(ANSWER)

    def reply(self, value: object) -> None:
        self.heard.append((self.path, self.headers["authorization"]))
        content = json.dumps(value).encode() if self.answer is None else self.answer
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        pass


def shop(answer: bytes | None = None) -> type[Shop]:
    return type("OneShop", (Shop,), {"answer": answer, "heard": []})


class GrpcShop(grpc.GenericRpcHandler):
    def service(self, details: Any) -> Any:
        answers = {
            f"/{SERVICE}/ModelMetadata": lambda request, context: metadata_response(METADATA),
            f"/{SERVICE}/ModelInfer": lambda request, context: self.infer(request),
        }
        return grpc.unary_unary_rpc_method_handler(answers[details.method])

    def infer(self, request: bytes) -> bytes:
        rows = ModelInferRequest.FromString(request).inputs[0].shape[0]
        output = ModelInferResponse.InferOutputTensor(name="p", datatype="FP32", shape=[rows, 1])
        values = raw_contents([0.5] * rows, "FP32")
        return bytes(ModelInferResponse(outputs=[output], raw_output_contents=[values]).SerializeToString())


class SeldonRoute(GrpcShop):
    """Takes gRPC as Seldon's routes do: what is called so, in that namespace."""

    def service(self, details: Any) -> Any:
        given = dict(details.invocation_metadata)
        return super().service(details) if (given.get("namespace"), given.get("seldon")) == ("ml", "small") else None


@contextmanager
def grpc_shop(credentials: Any = None, handler: type[GrpcShop] = GrpcShop) -> Iterator[int]:
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, [handler()], options=[("grpc.max_receive_message_length", -1)])
        place = "127.0.0.1:0"
        port = server.add_secure_port(place, credentials) if credentials else server.add_insecure_port(place)
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.LeafCert:
    """A certificate of 127.0.0.1 whose authority this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority.issue_cert("127.0.0.1")


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


def test_https_is_tls(trusted: trustme.LeafCert) -> None:
    with http_server.serving(shop(), tls=context(trusted)) as server, Client(http_server.url(server), TOKEN) as client:
        assert client.infer("shop", ROW)["p"].tolist() == [[0.5]]
    credentials = grpc.ssl_server_credentials(
        [(trusted.private_key_pem.bytes(), b"".join(part.bytes() for part in trusted.cert_chain_pems))]
    )
    with grpc_shop(credentials) as port, GrpcClient(f"https://127.0.0.1:{port}", TOKEN) as client:
        assert client.infer("shop", ROW)["p"].tolist() == [[0.5]]


@pytest.mark.parametrize("kind", [Client, GrpcClient])
def test_no_token_goes_to_a_server_that_speaks_no_tls_or_that_nobody_vouches_for(kind: Any) -> None:
    handler = shop()
    for tls in (None, context(trustme.CA().issue_cert("127.0.0.1"))):
        with http_server.serving(handler, tls) as server:
            url = f"https://127.0.0.1:{server.server_port}"
            with kind(url, TOKEN, 5) as client, pytest.raises(InferenceUnavailable):
                client.metadata("shop")
    assert handler.heard == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost.", "127.1", "2130706433", "[::ffff:127.0.0.1]",
                                  "0.0.0.0", "\uff11\uff12\uff17.0.0.1"])  # fmt: skip  # noqa: S104
def test_loopback_is_asked_directly_whatever_the_proxy_variables_say(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with http_server.serving(shop()) as server, Client(f"http://{host}:{server.server_port}", TOKEN) as client:
        assert "p" in client.infer("shop", ROW)
    with grpc_shop() as port, GrpcClient(f"http://{host}:{port}", TOKEN) as client:
        assert "p" in client.infer("shop", ROW)


@pytest.mark.parametrize(
    "url",
    ["", "shop", "127.0.0.1:80", "ftp://a", "http://", "http://a:port", "http://a:99999", "http://a?b", "http://u:p@a",
     "http://a b", "http://[::1", "http://a\n", "unix:/a", "http://a..b", f"http://{'a' * 64}", None, b"http://a"],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Client, GrpcClient])
def test_an_odd_url_is_refused_in_one_sentence(kind: Any, url: str) -> None:
    with pytest.raises(InvalidSpec, match=r"no URL of an endpoint.*http://HOST:PORT"):
        kind(url, TOKEN)


def test_a_url_is_taken_apart() -> None:
    assert Address.of("https://[::1]/base/") == Address(True, "::1", 443, "/base")
    assert Address.of("https://[::1]").target == "[::1]:443"
    assert Address.of("http://ip6-localhost").loopback
    assert Address.of("http://a.example.").host == "a.example."
    assert [
        Address.of(url).loopback for url in ("http://[::1]", "http://localhost", "http://127.9.9.9", "http://a")
    ] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("kind", [Client, GrpcClient])
@pytest.mark.parametrize("token", ["a\nb", "€"])
def test_a_token_that_no_header_can_hold_is_refused(kind: Any, token: str) -> None:
    with pytest.raises(InvalidSpec, match="The token holds signs"):
        kind("http://127.0.0.1:1", token)


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"[]", b"null", b"{}", b"[" * 200_000, b'{"inputs": 7}', b'{"inputs": [{"name": "a"}]}'],
    ids=["empty", "html", "list", "null", "object", "deep", "number", "half"],
)
def test_an_answer_that_is_no_open_inference_protocol_is_told(answer: bytes) -> None:
    told = pytest.raises(InferenceUnavailable, match=r"no Open Inference Protocol|states no inputs")
    with rest_client(answer) as client, told:
        client.infer("shop", ROW)


@pytest.mark.parametrize(
    "answer",
    [
        {"outputs": None},
        {"outputs": [{}]},
        {"outputs": [{"name": "p"}]},
        {"outputs": [{"name": "p", "datatype": "FP32", "shape": [3], "data": [1.0]}]},
        {"outputs": [{"name": "p", "datatype": "PNG", "shape": [1], "data": [1.0]}]},
        {"outputs": [{"name": "p", "datatype": "INT8", "shape": [1], "data": [None]}]},
        {"outputs": [{"name": "p", "datatype": "INT8", "shape": [1], "data": [2**70]}]},
    ],
)
def test_an_output_that_is_none_is_told(answer: Any) -> None:
    told = pytest.raises(InferenceUnavailable, match="Open Inference Protocol")
    with rest_client(json.dumps(answer).encode()) as client, told:
        client.answer("shop", b"{}")


def test_a_models_name_is_one_part_of_the_path() -> None:
    handler = shop()
    with http_server.serving(handler) as server, Client(http_server.url(server), TOKEN) as client:
        client.metadata("../a b?c")
    assert [path for path, _ in handler.heard] == ["/v2/models/..%2Fa%20b%3Fc"]


@pytest.mark.parametrize(
    ("name", "values", "data"),
    [
        ("kind", pd.Series(["a", None, pd.NA], dtype="string"), ["a", None, None]),
        ("kind", np.array(["a"]), ["a"]),
        ("kind", [b"\xc3\xa4"], ["ä"]),
        ("kind", pd.Categorical(["a"]), ["a"]),
        ("price", pd.Series([1.5, np.nan]), [1.5, None]),
        ("price", [pd.NaT, np.float32(0.5), 2, Decimal("2.5")], [None, 0.5, 2, 2.5]),
        ("price", pd.Series([1, None], dtype="Int64"), [1, None]),
        ("count", np.array([1, 2], np.int64), [1, 2]),
        ("open", np.array([True]), [True]),
    ],
)
def test_values_of_numpy_and_pandas_are_those_of_json(name: str, values: Any, data: list[Any]) -> None:
    tensor = as_json(as_tensor(name, values, DATATYPES), binary=False)
    assert tensor == {"name": name, "datatype": DATATYPES[name], "shape": [len(data)], "data": data}
    json.dumps(tensor, allow_nan=False)
    raw_contents(tensor["data"], tensor["datatype"])


@given(st.lists(st.binary(), min_size=1))
def test_bytes_of_a_binary_input_travel_in_base64_and_those_of_a_text_as_text(values: list[bytes]) -> None:
    tensor = as_tensor("kind", values, DATATYPES)
    told = as_json(tensor, binary=True)
    assert told["parameters"] == {"content_type": "base64"}
    assert [base64.b64decode(value) for value in told["data"]] == values == tensor["data"]


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("size", [1], "no input 'size'; it takes ['count', 'kind', 'open', 'price']"),
        ("kind", [1], "'kind' (BYTES)"),
        ("kind", ["\ud800"], "'kind' (BYTES)"),
        ("kind", [b"\xff"], "'kind' is text"),
        ("price", ["1"], "'price' (FP32)"),
        ("price", [float("inf")], "'price' (FP32)"),
        ("price", [10**400], "'price' (FP32)"),
        ("price", [pd.Timestamp(0)], "'price' (FP32)"),
        ("price", 1.0, "single value"),
        ("price", [[1.0], [1.0, 2.0]], "'price' (FP32)"),
        ("count", [300], "'count' (INT8)"),
        ("count", [2**70], "'count' (INT8)"),
        ("count", [1.5], "'count' (INT8)"),
        ("count", [None], "'count' (INT8)"),
        ("open", [1], "'open' (BOOL)"),
    ],
)
def test_a_value_that_cannot_be_the_inputs_is_refused_before_it_is_sent(name: str, values: Any, told: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        as_json(as_tensor(name, values, DATATYPES), binary=False)
    assert told in str(refused.value)


def test_both_clients_refuse_alike() -> None:
    told = []
    for open_shop in (rest_client, grpc_client):
        with open_shop() as client, pytest.raises(InvalidSpec) as refused:
            client.infer("shop", {**ROW, "count": [300]})
        told.append(str(refused.value))
    assert told[0] == told[1]


def test_an_answer_of_more_than_four_mebibytes_arrives() -> None:
    rows = 2**20 + 1
    values = {"kind": [""], "price": [0.0], "count": [0], "open": [False]}
    with grpc_client() as client:
        many = client.infer("shop", {name: np.array(value * rows, object) for name, value in values.items()})
    assert len(many["p"]) == rows


class NarrowShop(GrpcShop):
    """Behind a proxy that refuses a body as Envoy's bridge tells of HTTP's 413."""

    def service(self, details: Any) -> Any:
        handler = super().service(details)
        if details.method.endswith("ModelMetadata"):
            return handler
        return grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(grpc.StatusCode.UNKNOWN, ""))


@pytest.mark.parametrize(("rows", "kind"), [(1, InferenceUnavailable), (LARGEST_MESSAGE // 8, InferenceRefused)])
def test_a_body_that_is_too_large_is_a_refusal_in_grpc_too(rows: int, kind: type[Exception]) -> None:
    values = {"kind": [""], "price": [0.0], "count": [0], "open": [False]}
    many = {name: np.array(value * rows, object) for name, value in values.items()}
    narrow = grpc_shop(handler=NarrowShop)
    with narrow as port, GrpcClient(f"http://127.0.0.1:{port}", TOKEN) as client, pytest.raises(kind) as refused:
        client.infer("shop", many)
    assert ("send fewer rows" in str(refused.value)) == (kind is InferenceRefused)


@contextmanager
def rest_client(answer: bytes | None = None) -> Iterator[Client]:
    with http_server.serving(shop(answer)) as server, Client(http_server.url(server), TOKEN) as client:
        yield client


@contextmanager
def grpc_client() -> Iterator[GrpcClient]:
    with grpc_shop() as port, GrpcClient(f"http://127.0.0.1:{port}", TOKEN) as client:
        yield client


def test_a_missing_number_comes_back_as_nan() -> None:
    assert np.isnan(as_array({"datatype": "FP32", "shape": [1], "data": [None]})).all()


def test_a_path_of_seldons_routes_is_metadata_in_grpc() -> None:
    with grpc_shop(handler=SeldonRoute) as port:
        with GrpcClient(f"http://127.0.0.1:{port}/seldon/ml/small", TOKEN) as client:
            assert client.metadata("small")["versions"]
        with GrpcClient(f"http://127.0.0.1:{port}", TOKEN) as client, pytest.raises(InferenceRefused):
            client.metadata("small")
