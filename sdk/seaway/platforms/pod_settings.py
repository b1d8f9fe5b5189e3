"""What an installation mounts into the pods of its steps: settings, the storage's keys, the signing key.

`seaway.kfp.mounts` has compiled pipelines mount them; docs/design/steps-in-pods.md says which step gets what.
"""

import os
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True)
class Mount:
    """A ConfigMap or Secret of the namespace, and where a step finds its keys as files."""

    object: str
    path: Path


SETTINGS = Mount("seaway-settings", Path("/etc/seaway/settings"))  # ConfigMap
STORAGE = Mount("seaway-storage", Path("/etc/seaway/storage"))  # Secret
SIGNING = Mount("seaway-signing", Path("/etc/seaway/signing"))  # Secret
NOTICES = Mount("seaway-notices", Path("/etc/seaway/notices"))  # Secret


def adopt(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make each mounted file that has a variable's name that variable, unless the pod has it already."""
    for mount in (SETTINGS, STORAGE):
        for file in mount.path.glob("*"):
            if VARIABLE.fullmatch(file.name):
                environment.setdefault(file.name, file.read_text(encoding="utf-8").strip())
