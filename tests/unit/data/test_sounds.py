"""Folders of sounds: what headers say, and what is left out."""

import logging
import wave
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from seaway.data import ingest
from seaway.errors import DataUnreadable

SOUNDS = "seaway.data.sources.sounds:read"


def wav(file: Path, frames: int, rate: int = 8000, channels: int = 1, pitch: float = 440.0) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    tone = (np.sin(np.arange(frames * channels) * pitch / rate) * 9000).astype("<i2")
    with wave.open(str(file), "wb") as made:
        made.setnchannels(channels)
        made.setsampwidth(2)
        made.setframerate(rate)
        made.writeframes(tone.tobytes())
    return file


def flac(rate: int, channels: int, samples: int) -> bytes:
    """The first two parts of a FLAC, as RFC 9639 has them."""
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | samples
    return b"fLaC" + bytes([0x80, 0, 0, 34]) + bytes(10) + packed.to_bytes(8) + bytes(16) + b"frames"


def test_each_file_is_a_row_with_its_folder_as_label_and_its_length(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    wav(folder / "bird" / "a.wav", 4000)
    wav(folder / "car" / "deep" / "b.WAV", 16000, channels=2)
    (folder / "car" / "c.flac").write_bytes(flac(44100, 2, 88200))
    first, again = (ingest(SOUNDS, {"folder": str(folder)}, tmp_path / name) for name in ("first", "again"))
    assert first.sha256 == again.sha256 and first.version == again.version and first.version.startswith("sha256:")
    rows = parquet.read_table(tmp_path / "first" / "rows.parquet").to_pylist()
    assert [(row["file"], row["label"], row["seconds"], row["rate"], row["channels"]) for row in rows] == [
        ("bird/a.wav", "bird", 0.5, 8000, 1),
        ("car/c.flac", "car", 2.0, 44100, 2),
        ("car/deep/b.WAV", "car", 2.0, 8000, 2),
    ]
    assert rows[0]["sound"] == (folder / "bird" / "a.wav").read_bytes()
    wav(folder / "bird" / "a.wav", 4001)
    assert ingest(SOUNDS, {"folder": str(folder)}, tmp_path / "third").version != first.version


def test_what_cannot_be_read_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "sounds"
    whole = wav(folder / "a.wav", 4000)
    (folder / "again.wav").write_bytes(whole.read_bytes())
    (folder / "cut.wav").write_bytes(whole.read_bytes()[:-100])
    (folder / "none.wav").write_bytes(b"RIFF")
    (folder / "short.flac").write_bytes(flac(44100, 2, 88200)[:20])
    (folder / "song.mp3").write_bytes(b"ID3")
    with caplog.at_level(logging.WARNING):
        assert ingest(SOUNDS, {"folder": str(folder)}, tmp_path / "out").rows == {"rows": 1}
    for told in (
        "the same as another",
        "cut off",
        "none.wav is left out",
        "no FLAC, or is cut off",
        "no .wav or .flac",
    ):
        assert told in caplog.text
    whole.unlink()
    (folder / "again.wav").unlink()
    with pytest.raises(DataUnreadable, match="has no sound that can be read"):
        ingest(SOUNDS, {"folder": str(folder)}, tmp_path / "none")
    with pytest.raises(DataUnreadable, match="is no folder"):
        ingest(SOUNDS, {"folder": str(tmp_path / "nowhere")}, tmp_path / "none")
