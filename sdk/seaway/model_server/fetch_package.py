"""A pod's first step, `python -m seaway.model_server.fetch_package`: a server sees no package but a verified one."""

import logging
import os
from pathlib import Path

from seaway.entrypoint import run
from seaway.errors import PackageRefused, StorageCorrupted
from seaway.model_server.arm import KEY_VARIABLE, PACKAGE, SCRATCH_VARIABLE, RemoteArm
from seaway.models import verified_copy
from seaway.storage import storage_for

log = logging.getLogger("seaway.model_server.fetch_package")


def fetch(arm: RemoteArm, folder: Path, public_key: Path) -> Path:
    """The arm's package in `folder`, whole and verified; returns where it is.

    Raises:
        PackageRefused: the package is not what was signed, or another one than the arm's.
        DataUnreadable, StorageUnavailable: it cannot be had.
    """
    fetched, package = folder / "fetched", folder / PACKAGE
    try:
        storage_for(arm.package).download(arm.package, fetched)
        copy = verified_copy(fetched, package, public_key)
    except (StorageCorrupted, PackageRefused) as error:
        raise PackageRefused(f"The package {arm.package} of endpoint {arm.name} is refused: {error}") from error
    if not copy.sha256.startswith(arm.version):
        raise PackageRefused(
            f"{arm.package} holds version {copy.sha256[: len(arm.version)]}, signed but not the {arm.version} that "
            f"endpoint {arm.name} was given; deploy it anew."
        )
    log.info("%s is verified: %s of model %s", arm.package, arm.version, copy.signature.name)
    return package


def main() -> None:
    """Fetch what the environment names."""
    environment = os.environ
    arm = RemoteArm.parse(environment)
    fetch(arm, Path(environment.get(SCRATCH_VARIABLE, ".")), Path(environment[KEY_VARIABLE]))


if __name__ == "__main__":
    run(main)
