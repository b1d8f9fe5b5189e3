"""A real Ceph for tests: a monitor, a store in memory and radosgw, which serves S3. As any user, on loopback.

`apt-get install radosgw ceph-mon ceph-osd ceph-common` brings the programs (70 MB).
"""

import json
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import urllib3
from free_ports import free_ports
from object_store import START_S, ObjectStore

PROGRAMS = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "ceph-authtool", "monmaptool")
LACKING = [program for program in PROGRAMS if shutil.which(program) is None]
USER, BUCKET = "seaway", "seaway"
CAPS = {  # those that `ceph osd new` gives to osd.0, else it refuses the keyring
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
    "osd.0": {"mgr": "allow profile osd", "mon": "allow profile osd", "osd": "allow *"},
    "client.rgw": {"mon": "allow *", "osd": "allow *"},
}
CONFIG = """
[global]
fsid = {fsid}
mon host = {address}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
pid file = {folder}/$name.pid
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
mon allow pool size one = true
mon max pg per osd = 1000
mon data = {folder}/mon
mon data avail crit = 1
osd data = {folder}/osd
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
"""


class Ceph:
    """The programs, with the settings of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, program: str, *words: object) -> str:
        """What a program says. Raises: RuntimeError: it fails."""
        command = [program, *(["-c", self.folder / "ceph.conf"] if program not in PROGRAMS[-2:] else []), *words]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=START_S)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-2000:]}")
        return done.stdout

    def new_key(self) -> tuple[str, str]:
        """One more key of the user who may read and write."""
        before = self._keys("user", "info")
        return next(key for key in self._keys("key", "create", "--gen-access-key", "--gen-secret") if key not in before)

    def remove_key(self, access_key: str) -> None:
        """From now on it is refused."""
        self("radosgw-admin", "key", "rm", f"--uid={USER}", f"--access-key={access_key}")

    def _keys(self, *words: str) -> list[tuple[str, str]]:
        said = json.loads(self("radosgw-admin", *words, f"--uid={USER}"))
        return [(key["access_key"], key["secret_key"]) for key in said["keys"]]


@contextmanager
def radosgw() -> Iterator[tuple[ObjectStore, Ceph]]:
    """A running one with one empty bucket, and what changes its keys."""
    with tempfile.TemporaryDirectory(prefix="ceph-", dir="/tmp", ignore_cleanup_errors=True) as made:  # sockets: short
        ceph = Ceph(Path(made))
        try:
            yield _start(ceph), ceph
        finally:
            _stop(ceph.folder)


def _start(ceph: Ceph) -> ObjectStore:
    folder, fsid = ceph.folder, str(uuid.uuid4())
    new, old, port = free_ports(3)
    address = f"[v2:127.0.0.1:{new},v1:127.0.0.1:{old}]"
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    (folder / "ceph.conf").write_text(CONFIG.format(fsid=fsid, address=address, folder=folder, port=port))
    _keyring(ceph)
    ceph("monmaptool", "--create", "--addv", "a", address, "--fsid", fsid, folder / "monmap")
    ceph("ceph-mon", "--mkfs", "-i", "a", "--monmap", folder / "monmap", "--keyring", folder / "keyring")
    ceph("ceph-mon", "-i", "a")
    osd = str(uuid.uuid4())
    secret = ceph("ceph-authtool", folder / "keyring", "-n", "osd.0", "-p").strip()
    (folder / "secret").write_text(json.dumps({"cephx_secret": secret}))
    ceph("ceph", "osd", "new", osd, "-i", folder / "secret")
    ceph("ceph-osd", "-i", 0, "--mkfs", "--osd-uuid", osd)
    ceph("ceph-osd", "-i", 0)
    ceph("radosgw", "-n", "client.rgw")
    _await(f"http://127.0.0.1:{port}", folder / "client.rgw.log")
    ceph("radosgw-admin", "user", "create", f"--uid={USER}", "--display-name=Seaway")
    store = ObjectStore(f"http://127.0.0.1:{port}", *ceph._keys("user", "info")[0], BUCKET)
    store.client().make_bucket(BUCKET)
    return store


def _keyring(ceph: Ceph) -> None:
    keyring = ceph.folder / "keyring"
    for place, (name, caps) in enumerate(CAPS.items()):
        given = [word for kind, cap in caps.items() for word in ("--cap", kind, cap)]
        ceph("ceph-authtool", *(["--create-keyring"] if not place else []), keyring, "--gen-key", "-n", name, *given)


def _await(url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib3.request("GET", url, retries=False, timeout=5.0)
            return
        except urllib3.exceptions.HTTPError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"radosgw did not start: {error}; {log.read_text()[-2000:]}") from error
            time.sleep(0.2)


def _stop(folder: Path) -> None:
    """End the daemons, the gateway first; what they keep is in memory."""
    numbers = [int(file.read_text()) for name in ("client.rgw", "osd.0", "mon.a") for file in [folder / f"{name}.pid"]
               if file.exists()]  # fmt: skip
    running = [psutil.Process(number) for number in numbers if psutil.pid_exists(number)]
    for process in running:
        process.kill()
    psutil.wait_procs(running, timeout=30)
