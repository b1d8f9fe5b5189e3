"""Package mapping: sdk/seaway, components/, pipelines/ and examples/ are four import names of one distribution."""

from setuptools import find_packages, setup

TREES = {"seaway_components": "components", "seaway_pipelines": "pipelines", "seaway_examples": "examples"}
DATA = (
    "*.css",
    "*.html",
    "*.in",
    "*.ipynb",
    "*.js",
    "*.json",
    "*.md",
    "*.proto",
    "*.py",  # of a folder that is no package: an application that its own program starts
    "*.svg",
    "*.tmpl",
    "*.txt",
    "*.yaml",
    "py.typed",
)


def below(name: str, folder: str) -> list[str]:
    """The package of a mapped folder and all packages inside it."""
    return [name, *(f"{name}.{package}" for package in find_packages(folder))]


setup(
    package_dir={"": "sdk", **TREES},
    packages=find_packages("sdk") + [package for tree in TREES.items() for package in below(*tree)],
    package_data={"": [f"**/{pattern}" for pattern in DATA]},  # templates lie in folders that are no packages
)
