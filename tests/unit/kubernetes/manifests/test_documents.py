"""Files as kubectl reads them, and where a field stands in them."""

from pathlib import Path

import pytest
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.manifests.documents import documents

TWO = """\
# a comment
kind: A
when: 2026-01-01
---

kind: B
spec:
  list:
    - name: x
    - name: y
      deep: {a.b/c: 1}
"""


def test_times_are_texts_and_lines_are_known(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(TWO)
    first, second = documents(str(tmp_path))
    assert first.value == {"kind": "A", "when": "2026-01-01"}
    assert (first.line(), first.line("when"), second.line()) == (2, 3, 6)
    assert second.line("spec.list[1].name") == 10
    assert second.line("spec.list[1].deep[a.b/c]") == 11
    assert second.line("spec.list[1].lacks.more") == 10


def test_the_entries_of_a_list_are_objects_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('{"kind": "List", "items": [{"kind": "A"}, null, {"kind": "B"}]}')
    assert [one.value for one in documents(str(tmp_path / "list.json"))] == [{"kind": "A"}, None, {"kind": "B"}]


def test_what_is_merged_gives_way_to_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one: &one {name: a, image: x, env: &env [1]}\ntwo: {<<: *one, name: b}\nthree: {<<: *one}\n")
    [found] = documents(str(file))
    assert found.value["two"] == {"name": "b", "image": "x", "env": [1]}
    assert found.value["three"] == found.value["one"]


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (b"a: &x {b: 1}\nc: {<<: *x,\n d: 1, d: 2}\n", 3, "comes twice"),
        (b"a: 1\nb: {{ .Values.x }}\n", 2, ""),
        (b"a: 1\na: 2\n", 2, "comes twice"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"a: [1\n", 2, ""),
        (b"a: &x [*x]\n", 1, ""),
        (b"? [1, 2]\n: x\n", 1, "key"),
        (b"a: !!python/object:os.system x\n", 1, ""),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line_and_what_stands_before_is_read(
    data: bytes, line: int, says: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_bytes(data)
    broken = list(documents(str(tmp_path)))[-1]
    assert broken.broken
    assert says in broken.broken
    assert broken.begins == line


def test_a_place_without_manifests_is_told(tmp_path: Path) -> None:
    for place, says in ((tmp_path, "no YAML or JSON file"), (tmp_path / "none", "does not exist")):
        with pytest.raises(InvalidSpec, match=says):
            list(documents(str(place)))
