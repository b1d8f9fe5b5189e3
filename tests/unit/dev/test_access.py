"""Who may see the page: the token, a link that opens once, and nobody from another site."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seaway.dev import access
from seaway.dev.access import Access
from seaway.dev.app import application
from seaway.dev.uis.children import Children
from starlette.testclient import TestClient

BASE = "http://127.0.0.1:8765"


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Access:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    return Access(tmp_path)


@pytest.fixture
def client(guard: Access) -> Iterator[TestClient]:
    with TestClient(application(guard, Children()), BASE, follow_redirects=False) as found:
        yield found


def token(guard: Access) -> str:
    return guard.file.read_text()


def test_the_token_is_its_owners_and_stays(guard: Access, tmp_path: Path) -> None:
    assert stat.S_IMODE(guard.file.stat().st_mode) == 0o600
    assert Access(tmp_path).is_token(token(guard))


def test_without_a_session_every_page_leads_to_sign_in(client: TestClient) -> None:
    for path in ("/", "/runs/x", "/live/runs", "/endpoints", "/drift", "/nothing"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path
    assert client.get("/sign-in").status_code == 401
    assert client.get("/apis/v2beta1/runs").status_code == 401
    assert client.post("/start", headers={"origin": BASE}).status_code == 303


def test_a_link_opens_once_and_gives_a_session(client: TestClient, guard: Access) -> None:
    ticket = guard.ticket()
    answer = client.get(f"/open?ticket={ticket}")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert client.get("/").status_code == 200
    client.cookies.clear()
    assert client.get(f"/open?ticket={ticket}").status_code == 403
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("ticket", ["", "1", "1.a.b", "..", "é.é.é", "9999999999.nonce." + "0" * 64])
def test_a_made_up_link_opens_nothing(client: TestClient, ticket: str) -> None:
    assert client.get("/open", params={"ticket": ticket}).status_code == 403


def test_a_link_that_waited_too_long_opens_nothing(guard: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, now = guard.ticket(), time.time()
    monkeypatch.setattr(access.time, "time", lambda: now + access.TICKET_S + 2)
    assert not guard.redeem(ticket)


def test_a_link_of_another_folder_opens_nothing(guard: Access, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert not guard.redeem(Access(tmp_path / "other").ticket())


def test_the_token_signs_in_and_is_a_bearer(client: TestClient, guard: Access) -> None:
    assert client.get("/", headers={"authorization": f"Bearer {token(guard)}"}).status_code == 200
    assert client.get("/", headers={"authorization": "Bearer other"}).status_code == 303
    wrong = client.post("/sign-in", data={"token": "other"}, headers={"origin": BASE})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)
    client.post("/sign-in", data={"token": token(guard)}, headers={"origin": BASE})
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", ""])
def test_another_site_cannot_have_a_reader_do_anything(client: TestClient, guard: Access, origin: str) -> None:
    client.get(f"/open?ticket={guard.ticket()}")
    headers = {"origin": origin} if origin else {}
    assert client.post("/start", data={"source": "flights"}, headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8765", "", "[::1", "127.0.0.1:x"])
def test_a_name_of_somebody_else_for_this_machine_is_refused(client: TestClient, guard: Access, host: str) -> None:
    headers = {"host": host, "authorization": f"Bearer {token(guard)}"}
    assert client.get("/", headers=headers).status_code == 421


def test_every_answer_is_closed_off(client: TestClient) -> None:
    for path in ("/", "/sign-in", "/static/live.js", "/nothing"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"], path
        assert "unsafe-inline" not in headers["content-security-policy"].split("style-src")[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


HEADERS = st.sampled_from(["host", "origin", "authorization", "cookie"])
LATIN = st.text(st.characters(max_codepoint=255), max_size=40)


@given(name=HEADERS, value=LATIN)
@settings(suppress_health_check=list(HealthCheck), max_examples=60)
def test_no_header_comes_in_nor_breaks_anything(client: TestClient, name: str, value: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, "/runs/x", headers={name: value.encode("latin-1")})
        assert answer.status_code in (303, 403, 421)
