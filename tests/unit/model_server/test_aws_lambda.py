"""Events of AWS Lambda, and what a function makes of them."""

import base64
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from seaway.errors import InvalidSpec, PackageRefused
from seaway.model_server.aws_lambda import function, write_image
from seaway.model_server.aws_lambda.events import Request, response
from seaway.model_server.aws_lambda.function import Function
from seaway.model_server.startup import sample_request
from seaway.models import signing_keys, verifying_key
from small_package import SIGNATURE, small_package

TOKEN = "secret"  # noqa: S105
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
INFER = "/v2/models/small/infer"


def second(path: str, body: str = "", headers: dict[str, str] | None = None, **context: Any) -> dict[str, Any]:
    """Version 2.0, of a function URL and of an HTTP API."""
    return {"version": "2.0", "rawPath": path, "headers": headers or {}, "body": body, "isBase64Encoded": False,
            "requestContext": {"http": {"method": "POST", "path": path}, **context}}  # fmt: skip


def first(path: str, body: str | None = None, headers: dict[str, str] | None = None, **context: Any) -> dict[str, Any]:
    """Version 1.0, of a REST API."""
    return {"httpMethod": "POST", "path": path, "headers": headers, "body": body, "isBase64Encoded": False,
            "requestContext": context}  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    package = small_package(folder, folder / "home")
    before = os.umask(0o077)  # of a user who lets nobody else read
    try:
        return write_image(package, folder / "image", "small", verifying_key(folder / "home" / "keys"))
    finally:
        os.umask(before)


@pytest.fixture(scope="module")
def answers(image: Path) -> Iterator[Function]:
    environment = {function.FOLDER: str(image / "model"), function.MODEL: "small"}
    yield Function.load({**environment, function.TOKEN: hashlib.sha256(TOKEN.encode()).hexdigest()})
    torch.set_grad_enabled(True)


def test_what_is_no_http_request_is_none() -> None:
    for event in ({"inputs": []}, [], None, "text", {"requestContext": "x"}):
        assert Request.of(event) is None


def test_both_versions_of_an_event_are_read_alike() -> None:
    headers = {"Content-Type": "application/json"}
    for make in (first, second):
        assert Request.of(make(INFER, "{}", headers)) == Request(
            INFER, {"content-type": "application/json"}, b"{}", False
        )
    assert Request.of(second(f"/prod{INFER}", stage="prod")) == Request(INFER, {}, b"", False)
    assert Request.of(second(INFER, stage="$default")) == Request(INFER, {}, b"", False)
    assert Request.of(first("/prod", stage="prod")) == Request("/prod", {}, b"", False)


def test_a_body_in_base64_is_its_bytes() -> None:
    event = {**second(INFER), "body": base64.b64encode(b"\0\xff").decode(), "isBase64Encoded": True}
    request = Request.of(event)
    assert request is not None
    assert request.body == b"\0\xff"
    with pytest.raises(InvalidSpec, match="no base64"):
        Request.of({**event, "body": "!"})


def test_an_answer_that_is_no_text_goes_as_base64() -> None:
    assert response(200, {}, b"a", text=True)["body"] == "a"
    binary = response(200, {}, b"\xff", text=False)
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\xff", True)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (second(INFER, headers=KNOWN), 400),  # known, but asks for nothing
        (second(INFER), 401),
        (second(INFER, headers={"authorization": TOKEN}), 401),
        (second(INFER, headers={"authorization": "Bearer other"}), 401),
        (second(INFER, headers={"authorization": "Bearer \ud800"}), 401),
        (second(INFER, authorizer={"iam": {"userId": "AIDA"}}), 400),
        (second(INFER, authorizer={"jwt": {"claims": {}}}), 401),  # who that is, is for the API's own rules to say
        (first(INFER, identity={"userArn": "arn:aws:iam::1:user/a"}), 400),
        (first(INFER, identity={"userArn": None}), 401),
        (second("/v2/models/other/infer", headers=KNOWN), 404),
        ({**second(INFER, headers=KNOWN), "body": "!", "isBase64Encoded": True}, 400),
    ],
)
def test_only_whom_token_or_iam_lets_in_is_answered(answers: Function, event: dict[str, Any], status: int) -> None:
    answer = answers(event)
    assert (answer["statusCode"], "error" in json.loads(answer["body"])) == (status, True)


def test_where_no_token_is_set_none_is_right(image: Path) -> None:
    environment = {function.FOLDER: str(image / "model"), function.MODEL: "small"}
    bare = Function.load(environment)
    torch.set_grad_enabled(True)
    for given in ("Bearer ", "Bearer", "", f"Bearer {TOKEN}"):
        assert bare(second(INFER, headers={"authorization": given}))["statusCode"] == 401


def test_old_clients_forms_are_answered_too(answers: Function) -> None:
    rows = {name: values[0] for name, values in SIGNATURE.sample.items()}
    answer = answers(second("/v1/models/small:predict", json.dumps({"instances": [rows]}), KNOWN))
    assert len(json.loads(answer["body"])["predictions"]) == 1
    assert "content-type" in answer["headers"]


def test_an_answer_larger_than_lambda_takes_is_refused(answers: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "LARGEST_ANSWER", 10)
    answer = answers(second(INFER, json.dumps(sample_request(SIGNATURE)), KNOWN))
    assert answer["statusCode"] == 413


def test_an_image_that_names_no_model_says_what_is_missing() -> None:
    with pytest.raises(InvalidSpec, match="SEAWAY_MODEL and SEAWAY_MODEL_NAME"):
        Function.load({})


def test_an_image_can_be_read_by_any_user_and_has_nothing_that_did_not_verify(image: Path, tmp_path: Path) -> None:
    for file in (image / "model", *(image / "model").rglob("*")):
        assert file.stat().st_mode & stat.S_IROTH, file
        assert file.is_file() or file.stat().st_mode & stat.S_IXOTH, file
    assert {file.name for file in image.iterdir()} == {"Dockerfile", "model"}
    other = signing_keys(tmp_path / "keys").public
    with pytest.raises(PackageRefused):
        write_image(image.parent / "package", tmp_path / "image", "small", other)
    assert not (tmp_path / "image").exists()
    with pytest.raises(InvalidSpec, match="DNS label"):
        write_image(image.parent / "package", tmp_path / "image", "Small Model", other)
