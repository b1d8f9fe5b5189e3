"""What a URI may name, and what is refused because it could leave the folder that is downloaded to."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.platforms.s3 import connection
from seaway.platforms.s3.storage import File
from seaway.storage import FolderStorage, Uri, storage_for
from seaway.storage.uri import clean_key, local_path

SEGMENT = st.text(
    st.characters(min_codepoint=0x20, exclude_characters="/\\\x7f", exclude_categories=["Cs"]), min_size=1, max_size=20
)
CLEAN = SEGMENT.filter(lambda segment: segment not in (".", ".."))
BUCKET = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True)


@given(st.sampled_from(["s3", "minio"]), BUCKET, st.lists(CLEAN, min_size=1, max_size=6))
def test_a_uri_survives_being_written_and_read(scheme: str, bucket: str, segments: list[str]) -> None:
    key = "/".join(segments)
    uri = Uri.parse(f"{scheme}://{bucket}/{key}")
    assert (uri.scheme, uri.bucket, uri.key) == (scheme, bucket, key)
    assert Uri.parse(str(uri)) == uri
    assert Uri.parse(f"{uri}/") == uri


@given(st.text(max_size=30))
def test_no_accepted_key_leaves_the_folder(key: str) -> None:
    root = Path("/somewhere/deep")
    try:
        accepted = clean_key(key)
    except InvalidSpec:
        return
    assert Path(root / accepted).is_relative_to(root)
    assert (root / accepted).resolve().is_relative_to(root) and (root / accepted) != root


@pytest.mark.parametrize(
    "key", ["../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "a\\..\\b", "a\0b", "a\nb", "x" * 1025]
)
def test_traversal_in_a_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidSpec):
        Uri.parse(f"s3://bucket/{key}")
    with pytest.raises(InvalidSpec):
        File(key, 1, "0" * 64)


def test_the_longest_key_of_s3_is_taken() -> None:
    assert Uri.parse(f"s3://bucket/{'ä' * 512}").key == "ä" * 512


@pytest.mark.parametrize("uri", ["s3://AKIA:topsecret@bucket/key", "s3:///key", "s3://", "s3://a/b", "s3://../x"])
def test_a_bucket_that_is_none_is_refused_without_repeating_it(uri: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        Uri.parse(uri)
    assert "topsecret" not in str(refused.value)


def test_file_uris_and_paths_name_files_of_this_machine(tmp_path: Path) -> None:
    assert local_path(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    assert local_path("relative/100%20") == Path("relative/100%20")
    assert isinstance(storage_for(str(tmp_path)), FolderStorage)
    assert isinstance(storage_for(tmp_path.as_uri()), FolderStorage)
    with pytest.raises(InvalidSpec):
        local_path("file://otherhost/path")


def test_an_unknown_scheme_lists_the_known_ones() -> None:
    with pytest.raises(InvalidSpec, match=r"gs:// .*s3://"):
        storage_for("gs://bucket/key")


def test_missing_credentials_say_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY", "AWS_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(InvalidSpec, match="AWS_ACCESS_KEY_ID"):
        storage_for("s3://bucket/key")


@pytest.mark.parametrize("endpoint", ["http://user:topsecret@host:9000", "ftp://host", "http://host/path", "http://"])
def test_an_endpoint_that_is_no_plain_url_is_refused_without_repeating_it(endpoint: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        connection.connect("http://unused:1", {"AWS_ENDPOINT_URL": endpoint})
    assert "topsecret" not in str(refused.value)


def test_a_light_import() -> None:
    """A training pod that only moves files imports neither torch nor a Kubernetes client."""
    import subprocess
    import sys

    script = (
        "import json, sys; from seaway.storage import storage_for; import seaway.platforms.s3.storage;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout)
    assert {"torch", "kubernetes", "kfp", "pandas", "numpy", "feast"}.isdisjoint(loaded)
