"""Names of images, and who is let in by a registry."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from http_server import serving, url
from seaway.errors import ImageNotBuilt, InvalidSpec
from seaway.kfp.image.reference import Reference
from seaway.kfp.image.registry import Repository, credentials, digest_of

BODY = b'{"schemaVersion": 2}'


@pytest.mark.parametrize(
    ("text", "parts", "where"),
    [
        ("python", ("docker.io", "library/python", "latest"), "https://registry-1.docker.io/v2/library/python"),
        (
            "seaway/runtime:0.1",
            ("docker.io", "seaway/runtime", "0.1"),
            "https://registry-1.docker.io/v2/seaway/runtime",
        ),
        ("localhost:5000/a/b-c_d", ("localhost:5000", "a/b-c_d", "latest"), "http://localhost:5000/v2/a/b-c_d"),
        ("127.0.0.1:5000/a", ("127.0.0.1:5000", "a", "latest"), "http://127.0.0.1:5000/v2/a"),
        ("example.org/a:1", ("example.org", "a", "1"), "https://example.org/v2/a"),
    ],
)
def test_a_name_is_read_as_container_engines_read_it(text: str, parts: tuple[str, str, str], where: str) -> None:
    found = Reference.parse(text)
    assert (found.registry, found.repository, found.tag) == parts
    assert found.url == where


def test_a_digest_wins_over_a_tag() -> None:
    digest = digest_of(b"")
    found = Reference.parse(f"example.org/a:1@{digest}")
    assert (found.wanted, str(found)) == (digest, f"example.org/a@{digest}")
    assert str(Reference.parse("example.org/a").at(digest)) == f"example.org/a@{digest}"


@pytest.mark.parametrize("text", ["", "Example.org/A", "example.org/", "a b", "example.org/a:", "a@sha256:12"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpec, match="no name of an image"):
        Reference.parse(text)


class Guarded(BaseHTTPRequestHandler):
    """Wants a token of its own realm, which is given for a password."""

    seen: list[str]
    kind = "Bearer"

    def do_GET(self) -> None:
        asked, given = urlsplit(self.path), self.headers.get("Authorization", "")
        self.seen.append(self.path)
        known = given == "Basic " + base64.b64encode(b"me:secret").decode()
        if asked.path == "/token":
            scope = parse_qs(asked.query)["scope"]
            return self._answer(200 if known else 401, json.dumps({"token": f"of-{scope[0]}"}).encode())
        let_in = known if self.kind == "Basic" else given == "Bearer of-repository:team/a:pull"
        return self._answer(200 if let_in else 401, BODY if let_in else b"{}")

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        host = self.headers["Host"]
        told = f'Bearer realm="http://{host}/token",service="registry"' if self.kind == "Bearer" else 'Basic realm="a"'
        self.send_header("WWW-Authenticate", told)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(params=["Bearer", "Basic"])
def guarded(request: pytest.FixtureRequest) -> Iterator[Repository]:
    handler = type("Handler", (Guarded,), {"seen": [], "kind": request.param})
    with serving(handler) as server:
        yield Repository(Reference.parse(f"{url(server).removeprefix('http://')}/team/a"))


def log_in(folder: Path, registry: str, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = base64.b64encode(f"me:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))


def test_who_is_logged_in_is_let_in(guarded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(tmp_path, guarded.reference.registry, "secret", monkeypatch)
    assert guarded.manifest("latest").body == BODY
    assert guarded.manifest(digest_of(BODY)).body == BODY


def test_who_is_not_is_told_to_log_in_and_the_password_is_told_to_nobody(
    guarded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, guarded.reference.registry, "wrong", monkeypatch)
    with pytest.raises(ImageNotBuilt, match=r"answers 401.*docker login") as refused:
        guarded.manifest("latest")
    assert "wrong" not in str(refused.value)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nowhere"))
    with pytest.raises(ImageNotBuilt, match="answers 401"):
        guarded.manifest("latest")


def test_a_manifest_with_other_bytes_than_its_digest_is_refused(
    guarded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, guarded.reference.registry, "secret", monkeypatch)
    with pytest.raises(ImageNotBuilt, match="other bytes"):
        guarded.manifest(digest_of(b"something else"))


def test_a_login_is_found_by_any_of_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(tmp_path, "https://example.org", "secret", monkeypatch)
    assert base64.b64decode(credentials("example.org")) == b"me:secret"
    assert credentials("example.com") == ""
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"a.org": {"username": "me", "password": "x:y"}}}))
    assert base64.b64decode(credentials("a.org")) == b"me:x:y"
    (tmp_path / "config.json").write_text("{")
    assert credentials("a.org") == ""
