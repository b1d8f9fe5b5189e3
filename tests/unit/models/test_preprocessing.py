"""Pictures and texts become the tensors that the model was trained with, or are refused by a sentence."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from seaway.errors import InvalidSpec, PackageRefused
from seaway.models import Signature, TensorSpec
from seaway.models.preprocessing import PROOF, stage
from seaway.models.preprocessing.image import Image
from seaway.storage import sha256

SIDE = st.integers(1, 9)
STAGE = {"kind": "image", "height": 4, "width": 6, "channels": 3}


def encoded(pixels: Any, form: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(np.asarray(pixels, np.uint8)).save(stream, form, **options)
    return stream.getvalue()


@settings(deadline=None)
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([(), (3,), (4,)]),
    st.sampled_from([1, 3]),
    st.integers(0, 255),
)
def test_any_picture_of_one_colour_keeps_it_at_any_size(
    height: int, width: int, bands: tuple[int, ...], channels: int, value: int
) -> None:
    pixels = np.full((height, width, *bands), value, np.uint8)
    if bands == (4,):
        pixels[..., 3] = 255
    made = Image(4, 6, channels).encode([encoded(pixels)])
    assert made.shape == (1, channels, 4, 6)
    assert (made == value).all()


def test_a_picture_is_turned_as_its_exif_says_and_lies_on_white() -> None:
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[0] = 255
    turned = Pillow.Exif()
    turned[0x0112] = 3  # upside down
    upright, over = Image(2, 4).encode([encoded(pixels, quality=100), encoded(pixels, exif=turned)])
    np.testing.assert_array_equal(over, upright[:, ::-1, ::-1])
    assert (Image(2, 2).encode([encoded(np.zeros((3, 3, 4)))]) == 255).all()


def test_many_pictures_are_read_as_one_is() -> None:
    random = np.random.default_rng(0)
    files = [encoded(random.integers(0, 255, (7, 5, 3)), form) for form in ("PNG", "JPEG", "BMP", "WEBP", "GIF") * 20]
    together = Image(4, 6).encode(files)
    np.testing.assert_array_equal(together, np.concatenate([Image(4, 6).encode([one]) for one in files]))


BOMB = (
    b"BM" + bytes(8) + b"\x36\0\0\0" + b"\x28\0\0\0" + (20_000).to_bytes(4, "little") * 2 + b"\x01\0\x18\0" + bytes(24)
)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"", "0 bytes are none of PNG"),
        (b"GIF89a", "row 1"),
        (encoded(np.arange(243).reshape(9, 9, 3))[:-60], "row 1"),
        (BOMB, "pixels"),
        ("file:///etc/passwd", "not fetched"),
        ("https://example.com/a.png", "not fetched"),
        (None, "None"),
        (7, "7"),
    ],
)
def test_what_is_no_picture_is_told_by_its_row(value: Any, told: str) -> None:
    with pytest.raises(InvalidSpec, match="picture of row 1") as refused:
        Image(4, 6).encode([encoded(np.zeros((2, 2))), value])
    assert told in str(refused.value)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_whatever_stands_in_a_picture_is_read_or_refused(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP"]))
    content = bytearray(encoded(np.arange(75).reshape(5, 5, 3), form))
    for place, value in data.draw(st.dictionaries(st.integers(0, len(content) - 1), st.integers(0, 255))).items():
        content[place] = value
    try:
        assert Image(2, 2).encode([bytes(content)]).shape == (1, 3, 2, 2)
    except InvalidSpec as refused:
        assert "row 0" in str(refused)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"kind": "smell"}, "No Preprocessing backend 'smell'"),
        ({"height": 4}, "no 'kind'"),
        ({"kind": "image", "height": 0, "width": 4}, "0 x 4"),
        ({"kind": "image", "height": 4.0, "width": 4}, "4.0 x 4"),
        ({"kind": "image", "height": 4, "width": 4, "channels": 2}, "2 channels"),
        ({"kind": "image", "height": 4, "depth": 4}, "other settings"),
        ({"kind": "text", "length": 0, "padding": 0, "sha256": ""}, "0 tokens"),
    ],
)
def test_a_stage_that_there_is_not_is_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidSpec, match=told):
        stage(settings, None)


def pictures(**changes: Any) -> Signature:
    sample = [base64.b64encode(encoded(np.full((8, 8, 3), value))).decode() for value in (0, 100)]
    spec = TensorSpec("picture", "BYTES", preprocessing={**STAGE, **changes})
    return Signature("seen", (spec,), (TensorSpec("score", "FP32"),), {"picture": sample})


def test_a_signature_knows_what_its_stage_made_of_the_sample(tmp_path: Path) -> None:
    proved = pictures().proved()
    proved.write(tmp_path)
    read = Signature.read(tmp_path)
    read.check_stages()
    assert read == proved
    other = {**STAGE, "width": 5, PROOF: proved.inputs[0].preprocessing[PROOF]}
    with pytest.raises(PackageRefused, match=r"another tensor here, with pillow \d"):
        replace(proved, inputs=(replace(proved.inputs[0], preprocessing=other),)).check_stages()


def test_one_picture_is_the_same_from_bytes_and_from_base64() -> None:
    content = encoded(np.arange(192).reshape(8, 8, 3))
    raw, told = (
        pictures().encode({"picture": [value]})["picture"] for value in (content, base64.b64encode(content).decode())
    )
    np.testing.assert_array_equal(raw, told)
    assert raw.dtype == np.uint8


def tokenizer(folder: Path) -> dict[str, Any]:
    """A vocabulary of words, written into a folder, and the settings of its stage."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "good": 2, "bad": 3}, unk_token="[UNK]"))  # noqa: S106
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    return {"kind": "text", "length": 3, "padding": 0, "sha256": sha256(folder / "tokenizer.json")}


def test_a_text_has_the_same_tokens_alone_and_beside_longer_ones(tmp_path: Path) -> None:
    made = stage(tokenizer(tmp_path), tmp_path)
    rows = ["good", "bad bad good good", None, "what \ud800", ""]
    tokens = made.encode(rows)
    assert tokens.tolist() == [[2, 0, 0], [3, 3, 2], [0, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert all((made.encode([row]) == tokens[place]).all() for place, row in enumerate(rows))
    with pytest.raises(InvalidSpec, match="text of row 0 is 7"):
        made.encode([7])


@pytest.mark.parametrize("content", [None, "{}", "other"])
def test_a_tokenizer_is_the_one_that_the_signature_names(tmp_path: Path, content: str | None) -> None:
    settings = tokenizer(tmp_path)
    file = tmp_path / "tokenizer.json"
    if content is None:
        file.unlink()
    else:
        file.write_text(content if content != "other" else json.dumps(json.loads(file.read_text()), indent=1))
    with pytest.raises(PackageRefused, match="is not the tokenizer"):
        stage(settings, tmp_path).encode(["good"])


def test_sixteen_bits_are_read_by_their_upper_eight() -> None:
    stream = io.BytesIO()
    Pillow.fromarray(np.array([[0, 255, 256], [257, 32768, 65535]], np.uint16)).save(stream, "PNG")
    made = Image(2, 3, 1).encode([stream.getvalue()])
    np.testing.assert_array_equal(made[0, 0], [[0, 0, 1], [1, 128, 255]])
