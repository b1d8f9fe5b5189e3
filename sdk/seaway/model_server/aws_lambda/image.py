"""What a function's image is built from: a Dockerfile, and the model as the function loads it."""

import tempfile
from pathlib import Path

from seaway.model_server.aws_lambda.function import FOLDER, MODEL
from seaway.model_server.startup import VERSION_FILE, lay_out
from seaway.models.atomic_folder import staged_folder
from seaway.serving.port import require_endpoint_name

IMAGE = "docker.io/seaway/lambda:dev"  # the target `lambda` of images/Dockerfile
PLACE = "/opt/model"
DOCKERFILE, CONTENT = "Dockerfile", "model"
EVERYBODY, SEARCHABLE = 0o444, 0o111  # Lambda runs an image as a user of its own


def write_image(package: Path, folder: Path, name: str, public_key: Path, image: str = IMAGE) -> Path:
    """Write the folder that `docker build` takes, in the place of what was there; returns it.

    Args:
        package: The model; what goes into the image is what verified, and the image's digest keeps it.
        folder: To be written.
        name: Of the model in the Open Inference Protocol.
        public_key: Verifies the package.
        image: With Seaway and Lambda's runtime in it.

    Raises:
        PackageRefused: it does not verify.
        InvalidSpec: no model can have this name.
    """
    require_endpoint_name(name)
    with staged_folder(folder) as draft, tempfile.TemporaryDirectory(prefix="seaway-") as scripts:
        content = draft / CONTENT
        content.mkdir()
        lay_out(content, package, public_key, Path(scripts))
        for file in (content, *content.rglob("*")):
            file.chmod(file.stat().st_mode | EVERYBODY | (SEARCHABLE if file.is_dir() else 0))
        version = (content / VERSION_FILE).read_text(encoding="utf-8")
        (draft / DOCKERFILE).write_text(_dockerfile(name, version, image), encoding="utf-8")
    return folder


def _dockerfile(name: str, version: str, image: str) -> str:
    return f"""\
# Model {name}, version {version}, for AWS Lambda.
ARG IMAGE={image}
FROM ${{IMAGE}}
COPY {CONTENT} {PLACE}
ENV {FOLDER}={PLACE} {MODEL}={name}
"""
