"""What `seaway init` finds in pictures and texts, and what it makes of them."""

import ast
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from seaway.data import read_file, read_pictures
from seaway.errors import DataUnreadable, InvalidSpec, SeawayError
from seaway.kfp import pipeline_file
from seaway.projects import ProjectPlan, Wishes, plan, write

KINDS = {"cat": 20, "dog": 24}


def picture(seed: int, size: tuple[int, int] = (20, 30), mode: str = "RGB", form: str = "PNG", **options: Any) -> bytes:
    stream, random = io.BytesIO(), np.random.default_rng(seed)
    if mode == "I;16":
        made = Image.fromarray(random.integers(0, 65535, size[::-1]).astype(np.uint16))
    else:
        made = Image.fromarray(random.integers(0, 255, (*size[::-1], 3)).astype(np.uint8)).convert(mode)
    made.save(stream, form, **options)
    return stream.getvalue()


def pictures(root: Path, **options: Any) -> Path:
    for kind, count in KINDS.items():
        (root / kind).mkdir(parents=True)
        for place in range(count):
            (root / kind / f"{place}.png").write_bytes(picture(1000 * ord(kind[0]) + place, **options))
    return root


def texts(file: Path, rows: int = 60, encoding: str = "utf-8", **changed: Any) -> Path:
    lines = [
        {"text": f"größe {n} of the thing", "mood": ["good", "bad"][n % 2], "n": n, **changed} for n in range(rows)
    ]
    written = (
        json.dumps(lines, ensure_ascii=False)
        if file.suffix == ".json"
        else "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    )
    file.write_text(written, encoding=encoding)
    return file


def told(made: ProjectPlan) -> str:
    return " ".join(made.notes)


def whole(made: ProjectPlan, folder: Path) -> None:
    """Its files are Python, its pipelines compile, and its rows are read."""
    for file in write(made, folder):
        if file.suffix == ".py":
            ast.parse(file.read_text())
    for name in ("pipeline.py", "monitoring.py"):
        assert pipeline_file.load(str(folder / name)).pipeline_spec.root.dag.tasks


def test_a_folder_of_pictures_becomes_a_project(tmp_path: Path) -> None:
    made = plan("pets", Wishes("", "", images=pictures(tmp_path / "pictures")))
    assert (made.task, made.label, made.inputs, made.keys, made.rows) == ("binary", "label", ["picture"], ["file"], 44)
    assert made.content
    assert made.content.settings == {"size": [32, 24], "channels": 3}
    assert "20 x 30 pixels" in told(made)
    whole(made, tmp_path / "pets")


def test_a_table_that_names_pictures_becomes_one_of_any_task(tmp_path: Path) -> None:
    root = pictures(tmp_path / "pictures")
    files = sorted(root.rglob("*.png"))
    rows = "".join(f"{file.relative_to(root)};{n},5;{n % 3}\n" for n, file in enumerate(files))
    (tmp_path / "ages.csv").write_text(f"photo;age;picture\n{rows}")
    made = plan("ages", Wishes(tmp_path / "ages.csv", "age", images=root))
    assert (made.task, made.inputs, made.keys) == ("regression", ["picture_"], ["photo"])
    assert made.kinds == {"photo": "text", "age": "decimal comma"}
    whole(made, tmp_path / "ages")


@pytest.mark.parametrize(("kinds", "task", "label"), [(("0", "1"), "", 0.0), (("10", "12"), "regression", 10.0)])
def test_folders_that_are_called_by_numbers_give_numbers_where_the_task_wants_them(
    tmp_path: Path, kinds: tuple[str, str], task: str, label: float
) -> None:
    root = pictures(tmp_path / "pictures")
    for old, new in zip(KINDS, kinds, strict=True):
        (root / old).rename(root / new)
    made = plan("numbers", Wishes("", "", task, images=root))
    rows = read_pictures(str(root), made.label, made.kinds[made.label])
    assert rows[made.label][0].as_py() == label


@pytest.mark.parametrize(
    ("options", "channels", "note"),
    [
        ({"mode": "L"}, 1, "grey"),
        ({"mode": "1"}, 1, "grey"),
        ({"mode": "I;16"}, 1, "44 of 44 pictures have 16 bits a pixel"),
        ({"mode": "RGBA"}, 3, "in colour"),
        ({"mode": "P", "form": "GIF"}, 3, "in colour"),
        ({"form": "JPEG", "size": (640, 320)}, 3, "a model sees 64 x 32"),
    ],
)
def test_pictures_of_any_mode_are_taken_as_what_they_are(
    tmp_path: Path, options: dict[str, Any], channels: int, note: str
) -> None:
    made = plan("pets", Wishes("", "", images=pictures(tmp_path / "pictures", **options)))
    assert made.content
    assert made.content.settings["channels"] == channels
    assert note in told(made)


def test_what_is_mixed_empty_moving_or_copied_is_told(tmp_path: Path) -> None:
    root = pictures(tmp_path / "pictures")
    (root / "cat" / "grey.png").write_bytes(picture(1, (5, 5), "L"))
    frames = [Image.fromarray(np.full((9, 9, 3), level, np.uint8)) for level in (0, 90, 200)]
    frames[0].save(root / "cat" / "moving.gif", save_all=True, append_images=frames[1:])
    (root / "cat" / "again.png").write_bytes((root / "cat" / "3.png").read_bytes())
    (root / "mouse").mkdir()
    (root / "test" / "dog").mkdir(parents=True)
    (root / "test" / "dog" / "0.png").write_bytes(picture(7))
    (root / "loose.png").write_bytes(picture(8))
    found = told(plan("pets", Wishes("", "", images=root)))
    for sentence in (
        "1 of 48 pictures are grey and are read as coloured ones",
        "1 of 48 pictures have several frames",
        "(cat/again.png): the same as another file",  # what sorts last of two
        "No picture lies in mouse: no class",
        "Folders of one name at several places are one class",
        "1 of 48 rows have no label and are left out",
        "5 x 5 to 20 x 30 pixels",
    ):
        assert sentence in found or sentence.replace("again", "3") in found, found


@pytest.mark.parametrize(
    ("wishes", "error", "reason"),
    [
        ({"images": Path("one")}, DataUnreadable, "1 value; there is nothing to tell apart"),
        ({"images": Path("flat")}, DataUnreadable, "no value"),
        ({"images": Path("none")}, DataUnreadable, "no folder"),
        ({"images": Path("pets"), "label": "picture"}, InvalidSpec, "call the label otherwise"),
        ({"images": Path("pets"), "text": "text"}, InvalidSpec, "pictures or texts"),
        ({"images": Path("pets"), "features": Path("repository")}, InvalidSpec, "--features"),
        ({"images": Path("pets"), "data": Path("texts.jsonl"), "label": "mood"}, InvalidSpec, "No column names files"),
        ({"images": Path("pets"), "data": Path("texts.jsonl")}, InvalidSpec, "--label is missing"),
        ({"images": Path("pets"), "data": "sqlite:///x.db", "query": "SELECT 1"}, InvalidSpec, "not by a query"),
        ({}, InvalidSpec, "--from names the data"),
        ({"data": Path("texts.jsonl"), "label": "mood", "text": "none"}, InvalidSpec, "--text none"),
        ({"data": Path("texts.jsonl"), "label": "mood", "text": "mood"}, InvalidSpec, "the label cannot be"),
        ({"data": Path("texts.jsonl"), "label": "mood", "text": "n"}, InvalidSpec, "no text to learn from"),
        ({"data": Path("same.jsonl"), "label": "mood", "text": "text"}, DataUnreadable, "holds one text"),
        ({"data": Path("gaps.jsonl"), "label": "mood", "text": "text"}, DataUnreadable, "holds no texts"),
        ({"data": Path("broken.jsonl"), "label": "mood", "text": "text"}, DataUnreadable, "cannot be read"),
    ],
)
def test_what_cannot_become_a_project_is_told_in_a_paragraph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wishes: dict[str, Any], error: type[SeawayError], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pictures(Path("pets"))
    for folder in ("one/cat", "flat"):
        Path(folder).mkdir(parents=True)
        for place in range(40):
            Path(folder, f"{place}.png").write_bytes(picture(place, (8, 8)))
    texts(Path("texts.jsonl"))
    texts(Path("same.jsonl"), text="always this")
    texts(Path("gaps.jsonl"), text=" ")
    Path("broken.jsonl").write_text('{"text": "a", "mood": \n{"x')
    with pytest.raises(error, match=reason):
        plan("mine", Wishes(**{"data": "", "label": "", **wishes}))


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("t.jsonl", "utf-8"), ("t.jsonl", "utf-8-sig"), ("t.jsonl", "utf-16"), ("t.jsonl", "cp1252"), ("t.json", "utf-8")],
)
def test_texts_of_any_encoding_become_a_project(tmp_path: Path, name: str, encoding: str) -> None:
    made = plan("moods", Wishes(texts(tmp_path / name, encoding=encoding), "mood", text="text"))
    assert (made.task, made.inputs, made.left_out["n"]) == ("binary", ["text"], "its numbers name the rows")
    whole(made, tmp_path / "moods")
    assert read_file(str(tmp_path / name), made.kinds)["text"][0].as_py() == "größe 0 of the thing"


def test_gaps_copies_and_long_texts_are_told_and_the_length_follows_the_texts(tmp_path: Path) -> None:
    lines = [{"text": f"thing {n} " + "word " * (4 * n), "mood": ["good", "bad"][n % 2]} for n in range(80)]
    lines += [{"text": None, "mood": "good"}, {"text": "", "mood": "bad"}, lines[3]]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    made = plan("moods", Wishes(tmp_path / "t.jsonl", "mood", text="text"))
    found = told(made)
    assert made.content
    assert (made.content.settings["length"], made.rows) == (128, 81)
    for sentence in ("2 rows have no text in text", "1 texts are the same", "One text in twenty", "the longest 318"):
        assert sentence.lower() in found.lower(), found


LETTER = "I write to say that number {n} was {how} again"


def letters(rows: int = 60, **columns: Any) -> pd.DataFrame:
    told = [LETTER.format(n=n, how=["quick", "slow"][n % 2]) for n in range(rows)]
    return pd.DataFrame(
        {"letter": told, "paid": [n % 17 for n in range(rows)], "back": ["yes", "no"] * (rows // 2), **columns}
    )


def of_letters(folder: Path, rows: pd.DataFrame, **wishes: Any) -> ProjectPlan:
    rows.to_csv(folder / "letters.csv", index=False)
    return plan("letters", Wishes(folder / "letters.csv", "back", **wishes))


def test_a_text_is_found_and_read_beside_numbers_and_categories(tmp_path: Path) -> None:
    rows = letters(shop=["a", "b", "c"] * 20)
    rows.loc[::10, "letter"] = None
    made = of_letters(tmp_path, rows)
    assert (made.numeric, made.categorical) == (["paid"], ["shop"])
    assert made.content
    assert (made.content.column, made.content.alone) == ("letter", False)
    assert "6 rows have no text in letter and are read by their other columns" in told(made)
    whole(made, tmp_path / "letters")
    source = (tmp_path / "letters/letters_data/source.py").read_text()
    assert "is_valid" not in source
    assert "NUMERIC = ['paid']" in (tmp_path / "letters/letters_data/schema.py").read_text()


def test_one_text_is_read_and_a_person_chooses_which(tmp_path: Path) -> None:
    rows = letters(title=[f"a rather short letter, {n}" for n in range(60)])
    made = of_letters(tmp_path, rows)
    assert made.left_out == {"title": "a model reads one text, here letter; --text chooses another"}
    assert of_letters(tmp_path, rows, text="title").inputs == ["paid", "title"]


def test_no_text_is_found_where_nothing_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    made = of_letters(tmp_path, letters())
    assert (made.content, made.inputs) == (None, ["paid"])
    assert "--text letter reads them, by seaway[text]" in made.left_out["letter"]


def test_names_and_answers_of_a_few_words_are_no_text(tmp_path: Path) -> None:
    said = ["I do not agree at all", "I do agree with all of it", "I have no opinion of it"]
    made = of_letters(tmp_path, letters(letter=[f"Ann Lee {n % 7}" for n in range(60)], opinion=said * 20))
    assert (made.content, made.categorical) == (None, ["letter", "opinion"])


def test_a_text_is_left_out_where_features_are_looked_up_unless_it_is_asked_for(tmp_path: Path) -> None:
    at = [f"2024-01-{1 + n // 24:02}T{n % 24:02}:00:00" for n in range(60)]
    rows = letters(shop=["a", "b", "c"] * 20, at=at)
    made = of_letters(tmp_path, rows, entity="shop", time="at")
    assert (made.looked_up, "--text letter reads them" in made.left_out["letter"]) == (True, True)
    asked = of_letters(tmp_path, rows, entity="shop", time="at", text="letter")
    assert (asked.looked_up, asked.inputs) == (False, ["paid", "letter"])
    whole(asked, tmp_path / "letters")
