"""A function of AWS Lambda: what its image would hold, run by AWS' own emulator of the runtime interface."""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from http_server import serving, url
from lambda_emulator import Emulated, emulated, function_url
from seaway.model_server import aws_lambda, own_packages
from seaway.model_server.startup import sample_request
from seaway.models import ExportedModel, verifying_key
from seaway.serving import Client, InferenceRefused
from seaway.serving.conformance import Target, malformed, rest
from small_package import SIGNATURE, small_package

DOCKERFILE = Path(__file__).parents[3] / "images" / "Dockerfile"
REQUIREMENTS = Path(aws_lambda.__file__).with_name("requirements.txt")
TOKEN = "a token of the test's"  # noqa: S105


def words_of(instruction: str) -> list[str]:
    """What the image `lambda` is started by."""
    target = DOCKERFILE.read_text(encoding="utf-8").partition("AS lambda\n")[2].partition("\nFROM")[0]
    (found,) = re.findall(rf"^{instruction} (\[.*\])$", target, re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


def environment_of(image: Path) -> dict[str, str]:
    """The variables of the exported image, with the model where it lies here."""
    text = (image / "Dockerfile").read_text(encoding="utf-8")
    source, place = re.findall(r"^COPY (\S+) (\S+)$", text, re.MULTILINE)[0]
    pairs = re.findall(r"(\w+)=(\S+)", text.partition("\nENV ")[2])
    return {name: value.replace(place, str(image / source)) for name, value in pairs}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return small_package(folder, folder / "home")


@pytest.fixture(scope="module")
def function(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    folder = tmp_path_factory.mktemp("lambda")
    key = verifying_key(package.parent / "home" / "keys")
    image = aws_lambda.write_image(package, folder / "image", "small", key)
    packages = own_packages.environment(REQUIREMENTS, Path.home() / ".cache" / "seaway-tests" / "servers")
    environment = {
        **environment_of(image),
        **packages,
        "SEAWAY_TOKEN_SHA256": hashlib.sha256(TOKEN.encode()).hexdigest(),
    }
    python, *rest = words_of("ENTRYPOINT")
    assert python == "python"
    with emulated(folder, [sys.executable, *rest, *words_of("CMD")], environment) as running:
        yield running


def test_a_call_by_aws_own_api_is_answered_as_the_package_predicts(package: Path, function: Emulated) -> None:
    answer = function.invoke({**sample_request(SIGNATURE), "id": "r-1"})
    assert (answer["id"], answer["model_name"]) == ("r-1", "small")
    (output,) = answer["outputs"]
    expected = ExportedModel.load(package).predict(SIGNATURE.sample)["probability"]
    np.testing.assert_allclose(np.reshape(output["data"], output["shape"]), expected, rtol=1e-5)


def test_a_call_that_cannot_be_answered_fails_and_the_next_does_not(function: Emulated) -> None:
    failed = function.invoke({"inputs": []})
    assert failed["errorType"] == "InvalidSpec"
    assert "Inputs are missing" in failed["errorMessage"]
    assert "outputs" in function.invoke(sample_request(SIGNATURE))


def test_the_open_inference_protocol_is_kept_over_http(function: Emulated) -> None:
    with serving(function_url(function)) as server:
        target = Target(url(server), "small", TOKEN, sample=SIGNATURE.sample)
        checks = [*rest.CHECKS, *malformed.CHECKS]
        assert len(checks) >= 13
        for check in checks:  # those of connections and of gRPC are AWS' own front's to keep
            check(target)
        with Client(url(server), TOKEN) as client:
            assert client.live()
            assert client.infer("small", SIGNATURE.sample)["probability"].shape == (2, 1)
        with Client(url(server), "guess") as stranger, pytest.raises(InferenceRefused, match="401"):
            stranger.infer("small", SIGNATURE.sample)
