"""Files and folders moved by URI: a folder of this machine, and real S3 servers with faults on the way."""

import json
import logging
import os
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import ceph
import pytest
from faulty_proxy import (
    FaultyProxy,
    cut,
    cut_answer,
    damage_answer,
    damage_request,
    faulty_proxy,
    lose_answer,
    unavailable,
)
from http_server import serving, url
from object_store import ObjectStore, object_store
from seaway.errors import DataUnreadable, InvalidSpec, StorageCorrupted, StorageUnavailable
from seaway.platforms.s3 import connection
from seaway.platforms.s3.storage import MANIFEST, PART, S3Storage
from seaway.storage import storage_for

IMPATIENT = connection.PATIENCE.new(total=4, backoff_factor=0.01, backoff_jitter=0.01)
LARGE = os.urandom(2 * PART + 4321)  # bytes: three parts


WITHOUT_CEPH = pytest.mark.skipif(bool(ceph.LACKING), reason=f"no Ceph: there is no {', '.join(ceph.LACKING)}")


@pytest.fixture(scope="module", params=["seaweedfs", pytest.param("radosgw", marks=WITHOUT_CEPH)])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ObjectStore, ceph.Ceph | None]]:
    if request.param == "radosgw":
        with ceph.radosgw() as running:
            yield running
    else:
        with object_store(tmp_path_factory.mktemp("seaweedfs")) as store:
            yield store, None


@pytest.fixture(scope="module")
def store(server: tuple[ObjectStore, ceph.Ceph | None]) -> ObjectStore:
    return server[0]


@pytest.fixture(autouse=True)
def credentials(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def proxy(store: ObjectStore) -> Iterator[tuple[FaultyProxy, S3Storage]]:
    with faulty_proxy(store.endpoint.removeprefix("http://")) as (faults, url):
        environment = {"AWS_ENDPOINT_URL": url}
        yield faults, S3Storage(connection.connect("http://unused:1", environment, IMPATIENT), IMPATIENT)


@pytest.fixture(params=["file", "s3", "minio"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder's URI of each storage."""
    if request.param == "file":
        return (tmp_path / "place").as_uri()
    return f"{request.param}://seaway/{tmp_path.name}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "parts").mkdir(parents=True)
    (root / "metrics.json").write_text("{}")
    (root / "empty").write_bytes(b"")
    (root / "parts" / "a #1 %20?é.parquet").write_bytes(os.urandom(1000))
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def listed(place: str, name: str) -> str:
    return quote(name) if place.startswith("file:") else name


class TestEveryStorage:
    def test_a_folder_comes_back_as_it_was(self, place: str, folder: Path, tmp_path: Path) -> None:
        storage = storage_for(place)
        assert not storage.exists(f"{place}/run")
        storage.upload(folder, f"{place}/run")
        storage.download(f"{place}/run/", tmp_path / "back")
        assert contents(tmp_path / "back") == contents(folder)
        assert storage.exists(f"{place}/run")
        assert storage.list(f"{place}/run") == tuple(
            f"{place}/run/{listed(place, name)}" for name in sorted(contents(folder))
        )

    def test_each_listed_uri_can_be_downloaded(self, place: str, folder: Path, tmp_path: Path) -> None:
        storage = storage_for(place)
        storage.upload(folder, f"{place}/run")
        for number, uri in enumerate(storage.list(f"{place}/run")):
            storage.download(uri, tmp_path / str(number))
        assert {(tmp_path / str(number)).read_bytes() for number in range(3)} == set(contents(folder).values())

    def test_a_second_upload_replaces_the_first(self, place: str, folder: Path, tmp_path: Path) -> None:
        storage = storage_for(place)
        storage.upload(folder, f"{place}/run")
        (folder / "empty").unlink()
        (folder / "metrics.json").write_text('{"auc": 0.7}')
        storage.upload(folder, f"{place}/run")
        (tmp_path / "back").mkdir()
        (tmp_path / "back" / "old").write_text("from an earlier download")
        storage.download(f"{place}/run", tmp_path / "back")
        assert contents(tmp_path / "back") == contents(folder)
        assert len(storage.list(f"{place}/run")) == 2

    def test_a_file_of_several_parts_comes_back_as_it_was(self, place: str, tmp_path: Path) -> None:
        storage = storage_for(place)
        (tmp_path / "model").write_bytes(LARGE)
        storage.upload(tmp_path / "model", f"{place}/model")
        storage.download(f"{place}/model", tmp_path / "new" / "back")
        assert (tmp_path / "new" / "back").read_bytes() == LARGE

    def test_what_is_removed_is_gone(self, place: str, folder: Path, tmp_path: Path) -> None:
        storage = storage_for(place)
        storage.upload(folder, f"{place}/run")
        storage.upload(folder / "metrics.json", f"{place}/run-2")
        storage.remove(f"{place}/run")
        storage.remove(f"{place}/never-there")
        assert (storage.exists(f"{place}/run"), storage.exists(f"{place}/run-2")) == (False, True)
        assert storage.list(f"{place}/run") == ()
        with pytest.raises(DataUnreadable):
            storage.download(f"{place}/run", tmp_path / "back")
        assert not (tmp_path / "back").exists()

    def test_nothing_to_upload_is_told(self, place: str, tmp_path: Path) -> None:
        with pytest.raises(DataUnreadable, match="nowhere"):
            storage_for(place).upload(tmp_path / "nowhere", f"{place}/run")

    def test_a_link_out_of_the_folder_is_refused(self, place: str, folder: Path) -> None:
        (folder / "secret").symlink_to("/etc/hostname")
        storage = storage_for(place)
        with pytest.raises(DataUnreadable, match="link"):
            storage.upload(folder, f"{place}/run")
        assert not storage.exists(f"{place}/run")


class TestBrokenNetwork:
    def test_503s_and_cut_connections_are_repeated(self, proxy: tuple[FaultyProxy, S3Storage], tmp_path: Path) -> None:
        faults, storage = proxy
        (tmp_path / "model").write_bytes(LARGE)
        uri = f"s3://seaway/{tmp_path.name}/model"
        faults.spoil("POST .*uploads", unavailable, 2)
        faults.spoil("PUT .*partNumber=2", cut, 1)
        faults.spoil("PUT .*partNumber=3", unavailable, 2)
        storage.upload(tmp_path / "model", uri)
        assert faults.count("partNumber=2") == 2
        assert faults.count("partNumber=3") == 3
        faults.spoil("HEAD", unavailable, 1)
        faults.spoil("GET", cut_answer, 2)
        faults.spoil("GET", cut, 1)
        storage.download(uri, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == LARGE

    def test_a_completed_upload_whose_answer_was_lost_is_complete(
        self, proxy: tuple[FaultyProxy, S3Storage], tmp_path: Path
    ) -> None:
        faults, storage = proxy
        (tmp_path / "model").write_bytes(LARGE)
        uri = f"s3://seaway/{tmp_path.name}/model"
        faults.spoil("POST .*uploadId", lose_answer, 1)
        storage.upload(tmp_path / "model", uri)
        storage.download(uri, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == LARGE

    def test_a_lasting_outage_is_an_error_and_leaves_nothing(
        self, proxy: tuple[FaultyProxy, S3Storage], folder: Path, tmp_path: Path
    ) -> None:
        faults, storage = proxy
        uri = f"s3://seaway/{tmp_path.name}/run"
        storage.upload(folder, uri)
        faults.spoil("GET .*parquet", unavailable, 1000)
        with pytest.raises(StorageUnavailable, match="SlowDown"):
            storage.download(uri, tmp_path / "back")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]

    def test_a_server_that_is_gone_is_told(self, store: ObjectStore, tmp_path: Path) -> None:
        client = connection.connect("http://127.0.0.1:1", {}, IMPATIENT)
        with pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL"):
            S3Storage(client, IMPATIENT).download("s3://seaway/x", tmp_path / "back")

    @pytest.mark.parametrize("path", ["small", "large"])
    def test_bytes_damaged_while_sent_never_become_a_model(
        self, proxy: tuple[FaultyProxy, S3Storage], tmp_path: Path, path: str
    ) -> None:
        faults, storage = proxy
        (tmp_path / "model").write_bytes(LARGE if path == "large" else LARGE[:1000])
        uri = f"s3://seaway/{tmp_path.name}/model"
        faults.spoil("PUT ", damage_request, 1)
        with pytest.raises((StorageUnavailable, StorageCorrupted)):
            storage.upload(tmp_path / "model", uri)
            storage.download(uri, tmp_path / "back")
        assert not (tmp_path / "back").exists()

    def test_bytes_damaged_while_read_are_found(self, proxy: tuple[FaultyProxy, S3Storage], tmp_path: Path) -> None:
        faults, storage = proxy
        (tmp_path / "model").write_bytes(LARGE)
        uri = f"s3://seaway/{tmp_path.name}/model"
        storage.upload(tmp_path / "model", uri)
        (tmp_path / "back").write_text("what was there before")
        faults.spoil("GET", damage_answer, 1)
        with pytest.raises(StorageCorrupted, match="SHA-256"):
            storage.download(uri, tmp_path / "back")
        assert (tmp_path / "back").read_text() == "what was there before"

    def test_bytes_damaged_at_rest_are_found(
        self, proxy: tuple[FaultyProxy, S3Storage], store: ObjectStore, folder: Path, tmp_path: Path
    ) -> None:
        _, storage = proxy
        uri = f"s3://seaway/{tmp_path.name}/run"
        storage.upload(folder, uri)
        (tmp_path / "other").write_bytes(os.urandom(2))
        store.client().fput_object("seaway", f"{tmp_path.name}/run/metrics.json", str(tmp_path / "other"))
        with pytest.raises(StorageCorrupted, match=r"metrics\.json"):
            storage.download(uri, tmp_path / "back")
        assert not (tmp_path / "back").exists()


class TestPartialUploads:
    def test_a_cut_off_upload_of_a_folder_does_not_exist(
        self, proxy: tuple[FaultyProxy, S3Storage], folder: Path, tmp_path: Path
    ) -> None:
        faults, storage = proxy
        uri = f"s3://seaway/{tmp_path.name}/run"
        faults.spoil(f"PUT .*{MANIFEST}", unavailable, 1000)
        with pytest.raises(StorageUnavailable):
            storage.upload(folder, uri)
        assert len(storage.list(uri)) == 3
        assert not storage.exists(uri)
        with pytest.raises(DataUnreadable, match="finished"):
            storage.download(uri, tmp_path / "back")

    def test_a_cut_off_second_upload_is_not_taken_for_the_first(
        self, proxy: tuple[FaultyProxy, S3Storage], folder: Path, tmp_path: Path
    ) -> None:
        faults, storage = proxy
        uri = f"s3://seaway/{tmp_path.name}/run"
        storage.upload(folder, uri)
        (folder / "metrics.json").write_text('{"auc": 0.7}')
        faults.spoil("PUT .*metrics", cut, 1000)
        with pytest.raises(StorageUnavailable):
            storage.upload(folder, uri)
        assert not storage.exists(uri)

    def test_an_upload_that_was_cut_off_goes_on_with_what_is_missing(
        self, proxy: tuple[FaultyProxy, S3Storage], folder: Path, tmp_path: Path
    ) -> None:
        faults, storage = proxy
        uri = f"s3://seaway/{tmp_path.name}/run"
        storage.upload(folder, uri)
        before = faults.count("PUT .*parquet")
        (folder / "new").write_text("a later checkpoint")
        storage.upload(folder, uri)
        assert faults.count("PUT .*parquet") == before
        storage.download(uri, tmp_path / "back")
        assert contents(tmp_path / "back") == contents(folder)

    def test_a_manifest_that_names_files_outside_is_refused(
        self, proxy: tuple[FaultyProxy, S3Storage], store: ObjectStore, tmp_path: Path
    ) -> None:
        _, storage = proxy
        evil = {"files": [{"path": "../../evil", "bytes": 1, "sha256": "0" * 64}]}
        (tmp_path / "manifest").write_text(json.dumps(evil))
        key = f"{tmp_path.name}/run/{MANIFEST}"
        store.client().fput_object("seaway", key, str(tmp_path / "manifest"))
        with pytest.raises(StorageCorrupted, match="list of files"):
            storage.download(f"s3://seaway/{tmp_path.name}/run", tmp_path / "deep" / "back")
        assert not (tmp_path.parent / "evil").exists()

    def test_a_file_replaced_while_it_is_read_is_never_a_mixture(
        self, proxy: tuple[FaultyProxy, S3Storage], store: ObjectStore, tmp_path: Path
    ) -> None:
        faults, storage = proxy
        (tmp_path / "model").write_bytes(LARGE)
        uri = f"s3://seaway/{tmp_path.name}/model"
        storage.upload(tmp_path / "model", uri)
        (tmp_path / "model").write_bytes(LARGE[::-1])

        def replace_it(request: object, forward: object) -> None:
            store.client().fput_object("seaway", f"{tmp_path.name}/model", str(tmp_path / "model"))

        faults.spoil("GET", replace_it, 1)
        with pytest.raises(DataUnreadable, match="replaced"):
            storage.download(uri, tmp_path / "back")
        assert not (tmp_path / "back").exists()


class TestWhoMayReadAndWrite:
    def test_wrong_credentials_are_told_and_no_secret_is_logged(
        self, store: ObjectStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, folder: Path
    ) -> None:
        caplog.set_level(logging.DEBUG)
        storage_for("s3://seaway/x").upload(folder, "s3://seaway/logged")
        secret = "wrong-" + "s3cret" * 5
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        with pytest.raises(StorageUnavailable, match="AWS_SECRET_ACCESS_KEY") as refused:
            storage_for("s3://seaway/x").upload(folder, "s3://seaway/x")
        for told in (caplog.text, str(refused.value), repr(storage_for("s3://seaway/x"))):
            assert secret not in told
            assert store.secret_key not in told

    def test_keys_are_rotated_while_a_process_runs(
        self,
        server: tuple[ObjectStore, ceph.Ceph | None],
        folder: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What the old key wrote stays, and who still uses it is told."""
        if server[1] is None:
            pytest.skip("SeaweedFS reads its keys when it starts")
        uri = f"s3://seaway/{tmp_path.name}/run"
        access, secret = server[1].new_key()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        old = storage_for(uri)
        old.upload(folder, uri)
        server[1].remove_key(access)
        with pytest.raises(StorageUnavailable, match="AWS_ACCESS_KEY_ID"):
            old.download(uri, tmp_path / "back")
        assert not (tmp_path / "back").exists()
        access, secret = server[1].new_key()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        storage_for(uri).download(uri, tmp_path / "back")
        assert contents(tmp_path / "back") == contents(folder)

    def test_no_such_bucket_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(StorageUnavailable, match="no bucket nowhere"):
            storage_for("s3://nowhere/x").download("s3://nowhere/x", tmp_path / "back")

    def test_an_address_that_speaks_no_s3_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").write_text("x")
        with serving(SimpleHTTPRequestHandler) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", url(server))
            with pytest.raises(StorageUnavailable, match="S3"):
                storage_for("s3://seaway/x").upload(tmp_path / "file", "s3://seaway/x")

    def test_a_whole_bucket_is_never_emptied(self, proxy: tuple[FaultyProxy, S3Storage]) -> None:
        faults, storage = proxy
        with pytest.raises(InvalidSpec, match="whole bucket"):
            storage.remove("s3://seaway/")
        assert faults.seen == []

    def test_traversal_is_refused_before_anything_is_sent(
        self, proxy: tuple[FaultyProxy, S3Storage], folder: Path
    ) -> None:
        faults, storage = proxy
        with pytest.raises(InvalidSpec):
            storage.upload(folder, "s3://seaway/../other/x")
        assert faults.seen == []
