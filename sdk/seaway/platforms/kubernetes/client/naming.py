"""Names and labels of what a run creates: the same for a restarted step, another one for another run, step or spec."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.resources import Manifest

LONGEST = 63  # characters of a DNS-1035 label, RFC 1035
HASH = 10  # hex digits: among 10,000 jobs of a namespace two share them with a chance of 5e-5
RUN, SPEC = "seaway.dev/run", "seaway.dev/spec-sha256"
MANAGED_BY = "app.kubernetes.io/managed-by"
ENDPOINT = "seaway.dev/endpoint"
OURS = f"{MANAGED_BY}=seaway"


@dataclass(frozen=True)
class Step:
    """A step of a pipeline run, by which its objects are named and found again."""

    run: str
    name: str

    def __post_init__(self) -> None:
        if not self.run or not self.name:
            raise InvalidSpec(
                f"A step needs a run id and a name to name its objects by, not {self.run!r}/{self.name!r}."
            )


def stamp(manifest: Manifest, step: Step, suffix: int = 0, owners: tuple[Manifest, ...] = ()) -> dict[str, Any]:
    """`manifest` with name, labels, hash and owners.

    `suffix` is the length of the longest text that a controller appends to the name. Labels and annotations that
    it has stay.
    """
    digest = spec_sha256(manifest)
    given = manifest.get("metadata", {})
    labels = {
        "app.kubernetes.io/name": label(step.name),
        "app.kubernetes.io/component": manifest["kind"].lower(),
        MANAGED_BY: "seaway",
        RUN: label(step.run),
    }
    metadata = {
        **given,
        "name": job_name(step, digest, suffix),
        "labels": {**given.get("labels", {}), **labels},
        "annotations": {**given.get("annotations", {}), SPEC: digest},
    }
    return {**manifest, "metadata": metadata | ({"ownerReferences": list(owners)} if owners else {})}


def endpoint_labels(name: str) -> dict[str, str]:
    """Labels of each object of an endpoint."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": "serving",
        MANAGED_BY: "seaway",
        ENDPOINT: name,
    }


def spec_sha256(manifest: Manifest) -> str:
    """Hash of what is wanted: kind and contents, without metadata."""
    wanted = {key: value for key, value in manifest.items() if key not in ("metadata", "status")}
    return _sha256(wanted)


def job_name(step: Step, digest: str, suffix: int = 0) -> str:
    """`<run>-<step>-<hash>`, a DNS-1035 label with room for `suffix` more characters.

    Only the hash tells names apart, so run and step may be cut.
    """
    tail = "-" + _sha256([step.run, step.name, digest])[:HASH]
    room = LONGEST - suffix - len(tail)
    run = _words(step.run)[: max(1, room // 3)].rstrip("-")
    words = _words(f"{run}-{step.name}")[:room].rstrip("-")
    return words + tail


def label(text: str) -> str:
    """`text` as the value of a label; one that had to be changed ends with a hash, so that none meet."""
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:LONGEST].strip("-._")
    return clean if clean == text else f"{clean[: LONGEST - HASH - 1].strip('-._')}-{_sha256(text)[:HASH]}".lstrip("-")


def _words(text: str) -> str:
    """Lower-case letters, digits and hyphens, a letter first."""
    clean = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return clean if clean[:1].isalpha() else f"r-{clean}".rstrip("-")


def _sha256(value: Mapping[str, Any] | list[str] | str) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
