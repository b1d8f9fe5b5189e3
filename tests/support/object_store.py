"""A real S3 server for tests: SeaweedFS on this machine, with credentials on."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from free_ports import free_ports
from minio import Minio
from minio.error import MinioException

START_S = 180.0
GRPC = 10000  # SeaweedFS serves gRPC at each port + 10000


@dataclass(frozen=True)
class ObjectStore:
    """Where the server answers, and who may read and write `bucket`."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str = "seaway"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def client(self) -> Minio:
        """An unhardened client, to look at what is really there."""
        retries = urllib3.Retry(total=0)
        pool = urllib3.PoolManager(retries=retries, timeout=5.0)
        host = self.endpoint.removeprefix("http://")
        return Minio(host, self.access_key, self.secret_key, secure=False, region="us-east-1", http_client=pool)


@contextmanager
def object_store(folder: Path, address: str = "127.0.0.1") -> Iterator[ObjectStore]:
    """Run SeaweedFS on `address` with its data in `folder`; it has one empty bucket and one identity."""
    master, volume, filer, port = free_ports(4, address, twin=GRPC)
    store = ObjectStore(f"http://{address}:{port}", "test-key", secrets.token_hex(16))
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [_identity(store)]}))
    config.chmod(0o600)
    command = [
        str(Path(sys.executable).parent / "weed"), "server", f"-dir={folder}", f"-ip={address}",
        f"-ip.bind={address}", "-master.telemetry=false", f"-master.port={master}", f"-volume.port={volume}",
        f"-filer.port={filer}", "-filer", "-s3", f"-s3.port={port}", f"-s3.config={config}",
        f"-s3.localSocket={folder}/s3.sock", f"-filer.localSocket={folder}/filer.sock",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=256", "-volume.max=20",
        "-master.electionTimeout=1s", "-volume.preStopSeconds=0",
    ]  # fmt: skip
    environment = {**os.environ, "GOMAXPROCS": "2"}
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
    try:
        _await(store, server, folder / "weed.log")
        yield store
    finally:
        server.terminate()
        try:
            server.wait(2)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _identity(store: ObjectStore) -> dict[str, object]:
    keys = [{"accessKey": store.access_key, "secretKey": store.secret_key}]
    return {"name": "test", "credentials": keys, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}


def _await(store: ObjectStore, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    client = store.client()
    while True:
        try:
            client.make_bucket(store.bucket)
            client.put_object(store.bucket, "probe", (log.parent / "s3.json").open("rb"), 1)
            client.remove_object(store.bucket, "probe")
            return
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"SeaweedFS did not start: {error}; {log.read_text()[-2000:]}") from error
            if getattr(error, "code", "") in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                return
            time.sleep(0.2)
