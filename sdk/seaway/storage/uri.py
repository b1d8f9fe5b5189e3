"""Where data lies: `s3://bucket/key`, `minio://bucket/key` (as Kubeflow Pipelines writes it), `file:///path`, a path.

Keys become file names on download, so whatever could leave the folder that is downloaded to is refused here.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from seaway.errors import InvalidSpec

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")  # S3 user guide, bucket naming rules, old ones too
KEY_BYTES = 1024  # S3 user guide, object keys
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Uri:
    """A file or a folder in a bucket; the key is relative, of clean segments, and may be empty (the whole bucket).

    Raises:
        InvalidSpec: the bucket's name or the key is no such thing, or the key could leave a folder.
    """

    scheme: str
    bucket: str
    key: str = ""

    def __post_init__(self) -> None:
        if not BUCKET.fullmatch(self.bucket):
            raise InvalidSpec(
                f"The bucket of a {self.scheme}:// URI is 3 to 63 letters, digits, dots and hyphens; this one is not. "
                "Credentials never belong in a URI: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        if self.key:
            clean_key(self.key)

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Read `scheme://bucket/key`; a trailing slash means nothing."""
        match = SCHEME.fullmatch(text)
        if not match:
            raise InvalidSpec(f"{text!r} is not of the form scheme://bucket/key.")
        bucket, _, key = match[2].partition("/")
        return cls(match[1].lower(), bucket, key.removesuffix("/"))

    def __truediv__(self, relative: str) -> "Uri":
        return Uri(self.scheme, self.bucket, f"{self.key}/{relative}" if self.key else relative)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"


def clean_key(key: str) -> str:
    """`key` as it is, if its segments are plain names.

    Raises:
        InvalidSpec: empty, longer than 1024 bytes, absolute, or with `.`, `..`, an empty segment, a backslash or a
            control character.
    """
    segments = key.split("/")
    if not {"", ".", ".."}.isdisjoint(segments) or "\\" in key or CONTROL.search(key):
        raise InvalidSpec(f"The key {key!r} is refused: it has an empty, '.' or '..' segment, a backslash or control.")
    if len(key.encode("utf-8", "surrogatepass")) > KEY_BYTES:
        raise InvalidSpec(f"A key of {len(key.encode('utf-8', 'surrogatepass'))} bytes is longer than {KEY_BYTES}.")
    return key


def scheme(uri: str) -> str:
    """The scheme of a URI in lower case; `file` for a path."""
    match = SCHEME.fullmatch(uri)
    return match[1].lower() if match else "file"


def local_path(uri: str) -> Path:
    """The path that a `file://` URI or a path names.

    Raises:
        InvalidSpec: another scheme, or a `file://` URI of another host.
    """
    match = SCHEME.fullmatch(uri)
    if not match:
        return Path(uri)
    host, slash, rest = match[2].partition("/")
    if match[1].lower() != "file" or host not in ("", "localhost") or not slash:
        raise InvalidSpec(f"{uri!r} is no file of this machine: write file:///absolute/path, or the path itself.")
    return Path("/" + unquote(rest))
