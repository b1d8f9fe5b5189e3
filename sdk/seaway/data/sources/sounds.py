"""A folder of sounds, a sub-folder a class: WAV and FLAC, each looked at by its header.

`ingest_tables(source="seaway.data.sources.sounds:read", options={"folder": "recordings"})`
"""

import hashlib
import logging
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data.version import require_unchanged, versioned, with_version
from seaway.errors import DataUnreadable
from seaway.storage import sha256

if TYPE_CHECKING:
    import pyarrow as pa

READ = (".wav", ".flac")
FLAC, INFO_BYTES = b"fLaC", 42  # a FLAC begins so, and with the block STREAMINFO
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sound:
    """What a header says."""

    seconds: float
    rate: int
    channels: int


def version_of(folder: str, **_: object) -> str:
    """The content's hash."""
    return f"sha256:{sha256(Path(folder))}"


@versioned(version_of)
def read(folder: str, table: str = "rows") -> "dict[str, pa.Table]":
    """Each file once: `file`, `label` (its sub-folder), `sound` (its bytes), `seconds`, `rate` in Hz, `channels`.

    What is no WAV or FLAC, is cut off, or is a file again to the bit, is left out, and told.

    Raises:
        DataUnreadable: there is no folder, no sound in it, or it is changed while it is read.
    """
    import pyarrow as pa

    root = Path(folder)
    if not root.is_dir():
        raise DataUnreadable(f"{folder} is no folder; give that of the sounds.")
    version = version_of(folder)
    rows = list(_rows(root))
    require_unchanged(version, version_of(folder), folder)
    if not rows:
        raise DataUnreadable(f"{folder} has no sound that can be read; there are {', '.join(READ)}.")
    return {table: with_version(pa.Table.from_pylist(rows), version)}


def _rows(root: Path) -> Iterator[dict[str, object]]:
    seen: set[bytes] = set()
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        content = file.read_bytes()
        digest = hashlib.sha256(content).digest()
        try:
            if digest in seen:
                raise ValueError("the same as another file, to the bit")
            sound = _sound(file, content)
        except (ValueError, EOFError, wave.Error) as error:
            logger.warning("%s is left out: %s", file, error)
            continue
        seen.add(digest)
        name = file.relative_to(root)
        yield {
            "file": name.as_posix(), "label": name.parts[0] if len(name.parts) > 1 else None, "sound": content,
            "seconds": sound.seconds, "rate": sound.rate, "channels": sound.channels,
        }  # fmt: skip


def _sound(file: Path, content: bytes) -> Sound:
    """Raises: ValueError, EOFError, wave.Error: it is none of what is read, or is cut off."""
    if file.suffix.lower() == ".flac":
        return _flac(content)
    if file.suffix.lower() != ".wav":
        raise ValueError(f"no {' or '.join(READ)} by its name")
    with wave.open(str(file)) as opened:
        frames, rate, channels = opened.getnframes(), opened.getframerate(), opened.getnchannels()
        if len(opened.readframes(frames)) < frames * channels * opened.getsampwidth() or not frames:
            raise ValueError("it is cut off, or empty")
    return Sound(frames / rate, rate, channels)


def _flac(content: bytes) -> Sound:
    """By RFC 9639, 8.2: 20 bits of rate, 3 of channels less 1, 5 of depth, 36 of samples, from byte 18 on."""
    if len(content) < INFO_BYTES or content[:4] != FLAC:
        raise ValueError("it is no FLAC, or is cut off")
    packed = int.from_bytes(content[18:26])
    rate, channels, samples = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    if not rate or not samples:
        raise ValueError("its header says no rate or no length")
    return Sound(samples / rate, rate, channels)
