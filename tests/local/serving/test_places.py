"""An endpoint serves wherever its user's folders are."""

import tempfile
from pathlib import Path

import pytest
from seaway.errors import EndpointFailed
from seaway.platforms.local.serving import endpoint as local
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import Client, EndpointSpec, GrpcClient
from small_package import SIGNATURE, small_package


def test_an_endpoint_serves_from_an_odd_folder_without_home_or_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "a b%20'q\"é#$&x"
    temporary = odd / ("long" * 30)
    temporary.mkdir(parents=True)
    monkeypatch.setenv("SEAWAY_HOME", str(odd / "Größe"))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.chdir(odd)
    package = small_package(odd / "package", odd / "Größe")
    endpoint = LocalEndpoint().deploy(EndpointSpec("shop", "r1", package))
    try:
        url, token = endpoint.url, endpoint.token()
        with Client(url, token) as rest, GrpcClient(url, token) as grpc:
            one, other = (caller.infer("shop", SIGNATURE.sample)["probability"] for caller in (rest, grpc))
        assert (one == other).all()
    finally:
        LocalEndpoint().remove("shop", "r1")
    assert endpoint.sockets is not None
    assert not endpoint.sockets.exists()


def test_no_place_for_sockets_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(local, "SHORT_FOLDER", str(tmp_path / "none"))
    with pytest.raises(EndpointFailed, match=r"no place for sockets.*Set TMPDIR"):
        local._sockets_folder()
