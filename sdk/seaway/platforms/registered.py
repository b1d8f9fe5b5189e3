"""What registries have alike: names that models may have, what a version says of its package, what may be replaced."""

import logging
from collections.abc import Callable
from pathlib import Path

from seaway.errors import InvalidSpec, PackageRefused, ProductionChanged
from seaway.models.package import Package, verified_copy, verify
from seaway.models.registry import RegisteredModel
from seaway.models.signing import verifying_key
from seaway.platforms.home import home, keys

log = logging.getLogger(__name__)

HASH_TAG = "package_sha256"
MAX_VALUE = 500  # characters of a parameter or tag that every MLflow store takes
LONGEST_NAME = 200  # bytes; a file's name has at most 255


def check_name(name: str) -> None:
    """A model's name is a folder's and stands in a registry's addresses and filters. Raises: InvalidSpec."""
    if not isinstance(name, str):
        raise InvalidSpec(f"A model cannot be called {name!r}, which is no text; give its name as text.")
    odd = {"/", ":", "\\"} & set(name) or {"'", '"'} <= set(name) or not name.isprintable() or name != name.strip()
    if odd or name in ("", ".", "..") or len(name.encode()) > LONGEST_NAME:
        raise InvalidSpec(
            f"A model cannot be called {name!r}: give 1 to {LONGEST_NAME} bytes of printable characters without '/', "
            "':' and '\\', with one kind of quotes at most, and with no blank at either end."
        )


def version_tags(package: Package) -> dict[str, str]:
    """What a version says of its package: content hash, lineage, figures and parameters."""
    lineage = package.lineage
    plain = {
        "data_sha256": lineage.data_sha256,
        "code_version": lineage.code_version,
        "parent": lineage.parent,
        "created": lineage.created,
        "seed": str(lineage.seed),
    }
    figures = {f"metric.{name}": f"{value:.6g}" for name, value in lineage.metrics.items()}
    settings = {f"param.{name}": str(value)[:MAX_VALUE] for name, value in lineage.parameters.items()}
    return {HASH_TAG: package.sha256, **plain, **figures, **settings}


def require_replaceable(name: str, current: tuple[str, str] | None, version: str, over: str) -> None:
    """Whether a version may follow `current`, a version and its package's hash. Raises: ProductionChanged."""
    if current is None or current[0] == version or current[1].startswith(over):
        return
    raise ProductionChanged(
        f"{name} version {current[0]} is in production and not the package {over} that version {version} "
        "was to replace; nothing was changed."
    )


def public_key() -> Path:
    """The key by which packages of this place are verified."""
    return verifying_key(keys())


def kept(name: str, version: str, sha256: str, fetch: Callable[[], Path]) -> RegisteredModel:
    """A version's package in a folder of the state folder, verified; a whole copy is left alone, since it may be read.

    Raises:
        PackageRefused: what was fetched is not what was signed.
    """
    target = home() / "models" / name / version
    if not _is_intact(target, sha256):
        verified_copy(fetch(), target, public_key())
    return RegisteredModel(name, version, target)


def _is_intact(folder: Path, sha256: str) -> bool:
    try:
        return folder.is_dir() and verify(folder, public_key()).sha256 == sha256
    except PackageRefused as refusal:
        log.warning("%s is fetched anew: %s", folder, refusal)
        return False
