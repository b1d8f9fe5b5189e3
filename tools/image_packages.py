"""What stands in an image of images/Dockerfile, by its list and the environment that the lock made; prints the sizes.

Building images needs Docker; their packages are those of this environment, in the same versions, so what these take is
known without. Not counted: Debian with Python, Seaway itself (a few megabytes), and the bytecode that pip compiles.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

IMAGES = Path(__file__).parents[1] / "images"
NAMES = ("runtime", "trainer", "server")
MB = 1_000_000
LARGEST = 5
TORCH = ("torch", "torchvision")  # with what they bring, in all images
CUDA = ("nvidia", "triton", "cuda")  # which a build of torch for CPUs is without


def listed(image: str) -> list[str]:
    """What its list names."""
    lines = (IMAGES / f"{image}.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def closure(names: Iterable[str]) -> list[Distribution]:
    """The installed packages of these names and all that they require here, sorted by name."""
    found: dict[str, Distribution] = {}
    pending = [Requirement(name) for name in names]
    asked: set[tuple[str, str]] = set()
    while pending:
        requirement = pending.pop()
        if not is_installed(requirement.name):
            continue
        package = distribution(requirement.name)
        found[name_of(package)] = package
        for extra in {"", *requirement.extras} - {extra for name, extra in asked if name == requirement.name}:
            asked.add((requirement.name, extra))
            pending += _required(package, extra)
    return [found[name] for name in sorted(found)]


def name_of(package: Distribution) -> str:
    """In small letters, with hyphens."""
    return str(package.metadata["Name"]).lower().replace("_", "-")


def is_installed(name: str) -> bool:
    """Whether this environment has it."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def size_of(package: Distribution) -> int:
    """Bytes of its files, without bytecode."""
    files = (Path(str(file.locate())) for file in package.files or ())
    return sum(file.stat().st_size for file in files if file.suffix != ".pyc" and file.is_file())


def table() -> str:
    """The sizes of all images' packages, in Markdown."""
    torch = [one for one in closure(TORCH) if not _is_cuda(one)]
    cuda = [one for one in closure(TORCH) if _is_cuda(one)]
    under = {name_of(one) for one in (*torch, *cuda)}
    rows = {f"`{image}`": [one for one in closure(listed(image)) if name_of(one) not in under] for image in NAMES}
    every = {**rows, "in each of them: torch": torch, "for GPUs: CUDA's libraries": cuda}
    return "\n".join(["| packages of | count | MB | the largest, MB |", "|---|---|---|---|", *_lines(every)])


def _lines(rows: dict[str, list[Distribution]]) -> Iterator[str]:
    for title, packages in rows.items():
        sizes = sorted(((size_of(one), name_of(one)) for one in packages), reverse=True)
        largest = ", ".join(f"{name} {size / MB:,.0f}" for size, name in sizes[:LARGEST])
        yield f"| {title} | {len(sizes)} | {sum(size for size, _ in sizes) / MB:,.0f} | {largest} |"


def _is_cuda(package: Distribution) -> bool:
    return name_of(package).startswith(CUDA)


def _required(package: Distribution, extra: str) -> list[Requirement]:
    required = [Requirement(text) for text in package.requires or []]
    return [entry for entry in required if not entry.marker or entry.marker.evaluate({"extra": extra})]


if __name__ == "__main__":
    print(table())  # noqa: T201
