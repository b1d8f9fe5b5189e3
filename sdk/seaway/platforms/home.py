"""Where Seaway keeps its state on this machine: `$SEAWAY_HOME`, by default `./.seaway`."""

import os
from pathlib import Path
from typing import Protocol

from seaway import registry
from seaway.errors import InvalidSpec
from seaway.platforms.place import in_pod
from seaway.platforms.pod_settings import SETTINGS, SIGNING


class RunIdentity(Protocol):
    """Knows the pipeline run that this process is a step of."""

    def run_id(self) -> str:
        """Its name. Raises: InvalidSpec: the process belongs to none."""
        ...


class ManualRun:
    """A process that nobody started as a step."""

    def run_id(self) -> str:
        return "manual"


def home_path() -> Path:
    """The state folder, whether or not there is one."""
    return Path(os.environ.get("SEAWAY_HOME", ".seaway")).absolute()


def home() -> Path:
    """The state folder, made when missing.

    Raises:
        InvalidSpec: it cannot be made.
    """
    path = home_path()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSpec(
            f"The state folder {path} cannot be made ({error.strerror}); set SEAWAY_HOME to one that can be written."
        ) from error
    return path


def keys() -> Path:
    """The folder of the keys that sign and verify packages: in a pod what is mounted, else one of the state folder.

    A pod that signs nothing has the public key only.

    Raises:
        InvalidSpec: nothing is mounted in this pod, and no state folder is named that would outlive it.
    """
    from seaway.models.signing import PUBLIC_KEY

    for mount in (SIGNING, SETTINGS):
        if (mount.path / PUBLIC_KEY).exists():
            return mount.path
    if in_pod() and "SEAWAY_HOME" not in os.environ:
        raise InvalidSpec(
            "This pod has no key for model packages, and one that it made would end with it. Give its namespace the "
            f"Secret {SIGNING.object}, and {PUBLIC_KEY} in the ConfigMap {SETTINGS.object} (docs/clusters.md), or set "
            "SEAWAY_HOME to a folder that outlives the pod."
        )
    return home() / "keys"


def references() -> str:
    """URI of the folder that keeps training rows for as long as their models are watched: `$SEAWAY_REFERENCES`."""
    return os.environ.get("SEAWAY_REFERENCES") or str(home() / "references")


def data_versions() -> str:
    """URI of the folder that keeps versions of data: `$SEAWAY_DATA_VERSIONS`, by default `data` of the state folder."""
    return os.environ.get("SEAWAY_DATA_VERSIONS") or str(home() / "data")


def stage_folder() -> str:
    """The folder of staged data, which steps share: `$SEAWAY_STAGE`, by default `staged` of the state folder.

    Raises:
        InvalidSpec: this pod names none, and one of its own would end with it.
    """
    if in_pod() and "SEAWAY_STAGE" not in os.environ:
        raise InvalidSpec(
            "Mount a folder that other pods see, of the node or of a shared volume, and name it by SEAWAY_STAGE."
        )
    return os.environ.get("SEAWAY_STAGE") or str(home() / "staged")


def figures_folder() -> Path:
    """Where the checks' figures lie as text files for Prometheus."""
    return home() / "metrics"


def run_id() -> str:
    """The pipeline run that this process is a step of: `$SEAWAY_RUN_ID`, else the run that its pod belongs to.

    `manual` outside a run; never in a pod, whose jobs would be adopted by those of all other runs of that name.

    Raises:
        InvalidSpec: this pod belongs to no run, and SEAWAY_RUN_ID is not set.
    """
    if named := os.environ.get("SEAWAY_RUN_ID"):
        return named
    identity: RunIdentity = registry.find(RunIdentity.__name__, "pod" if in_pod() else "manual").load()()
    return identity.run_id()
