"""The folder that a machine gets: the package, the key that verifies it, a token, and a file for each manager.

What runs is what a pod runs, `seaway.model_server.pod`: the package is verified before any server sees it, Envoy asks
for the token, and a service that is to end answers what it has.
"""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from seaway.model_server.arm import PACKAGE, RemoteArm
from seaway.model_server.machine import compose, systemd
from seaway.models import verified_copy
from seaway.models.atomic_folder import staged_folder
from seaway.serving import EndpointSpec
from seaway.storage import write_private

KEY, TOKEN, COMPOSE = "signing.pub", "token", "compose.yaml"
VERSION_DIGITS, DRAIN_S = 12, 30.0


@dataclass(frozen=True)
class Machine:
    """What has to be known of the machine.

    Args:
        folder: Where the written folder will be there, an absolute path.
        python: The Python there that has Seaway, for systemd.
        image: That has Seaway's server, for Docker Compose.
    """

    folder: Path
    python: str
    image: str


def write_folder(package: Path, folder: Path, name: str, public_key: Path, machine: Machine) -> Path:
    """Write the folder, in the place of what was there but for its token; returns it.

    Raises:
        PackageRefused: the package does not verify.
        InvalidSpec: no model can have this name.
    """
    spec = EndpointSpec(name, "machine", package)
    token = _token(folder)
    with staged_folder(folder) as draft:
        copy = verified_copy(package, draft / PACKAGE, public_key)
        shutil.copyfile(public_key, draft / KEY)
        write_private(draft / TOKEN, token)
        arm = RemoteArm.of(spec, copy.sha256[:VERSION_DIGITS], "", 0, DRAIN_S)
        (draft / f"{name}.service").write_text(systemd.unit(arm, machine.folder, machine.python), encoding="utf-8")
        (draft / COMPOSE).write_text(compose.project(arm, machine.image), encoding="utf-8")
    return folder


def _token(folder: Path) -> str:
    """That of an earlier version, which its callers have."""
    earlier = folder / TOKEN
    return earlier.read_text(encoding="utf-8") if earlier.is_file() else secrets.token_urlsafe(32)
