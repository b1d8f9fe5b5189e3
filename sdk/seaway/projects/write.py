"""The files of a project, out of the templates beside this file."""

import json
from importlib.resources import files
from pathlib import Path
from pprint import pformat
from string import Template
from typing import Any

from seaway.data.files import Column
from seaway.errors import InvalidSpec
from seaway.projects.plan import EPOCHS, PATIENCE, ProjectPlan
from seaway.storage import atomic_path

WIDTH = 110
SPREAD = 0.1  # of the range that was seen, by which new numbers may lie beyond it
FEW = 30  # values of a text that the rules name one by one


def write(plan: ProjectPlan, folder: Path) -> list[Path]:
    """Write the project into `folder`, which is made, and give its files.

    Raises:
        InvalidSpec: the folder has files already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidSpec(f"{folder.absolute()} is not empty; choose another name, or remove it.")
    package = plan.package
    names = {
        "pipeline.py": "pipeline.py",
        f"{package}/__init__.py": "init.py",
        f"{package}/schema.py": "schema.py",
        f"{package}/source.py": "source.py",
        f"{package}/rules.py": "rules.py",
        f"tests/test_{package}.py": "test.py",
        "README.md": "README.md",
    }
    words = _words(plan, folder)
    written = []
    for target, template in names.items():
        text = files("seaway.projects").joinpath(f"templates/{template}.tmpl").read_text(encoding="utf-8")
        with atomic_path(folder / target) as draft:
            draft.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(folder / target)
    return written


def _words(plan: ProjectPlan, folder: Path) -> dict[str, str]:
    values: dict[str, Any] = {
        "kinds": plan.kinds,
        "numeric": plan.numeric,
        "categorical": plan.categorical,
        "label": plan.label,
        "task": plan.task,
        "gate": plan.gate,
        "weights": plan.weights,
        "requests": plan.requests,
        "keep": [plan.entity] if plan.entity else [],
        "time": plan.time,
        "fractions": {f"{name}_fraction": share for name, share in plan.fractions.items()},
        "data": str(plan.data),
    }
    plain = {
        "name": plan.name,
        "package": plan.package,
        "rows": f"{plan.rows:,}",
        "held_out": f"{plan.held_out:,}",
        "passes": str(plan.passes),
        "margin": str(plan.quality_margin),
        "batch_size": str(plan.batch_size),
        "epochs": str(EPOCHS),
        "patience": str(PATIENCE),
        "notes": "\n".join(f"- {note}" for note in plan.notes),
        "rules": "\n".join(_rule(plan.columns[name], kind, plan) for name, kind in plan.kinds.items()),
        "key": repr([plan.entity] if plan.entity and _unique(plan) else []),
        "word": _one_line(plan.label),
        "sample": json.dumps(dict.fromkeys([*plan.numeric, *plan.categorical])),
    }
    return {name: pformat(value, width=WIDTH, sort_dicts=False) for name, value in values.items()} | plain


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace('"""', "'")


def _unique(plan: ProjectPlan) -> bool:
    column = plan.columns[plan.entity]
    return not column.missing and column.distinct == plan.rows


def _rule(column: Column, kind: str, plan: ProjectPlan) -> str:
    """A line of the rules, with what was seen as its comment."""
    name = repr(column.name)
    seen = f"{column.distinct:,} values" + (f", {column.missing:,} missing" if column.missing else "")
    nullable = bool(column.missing) or column.name == plan.label
    if kind == "time":
        return f"        {name}: Column(TIME, nullable={nullable}),  # {seen}"
    if kind == "text":
        return f"        {name}: Column(TEXT, nullable={nullable}),  # {seen}"
    if kind == "truth" or column.low is None or column.high is None:
        return f"        {name}: Column(NUMBER, Check.isin([0, 1]), nullable={nullable}),  # {seen}"
    room = SPREAD * (column.high - column.low)
    low = 0.0 if 0 <= column.low < room else column.low - room
    bounds = f"{low:.6g}, {column.high + room:.6g}"
    seen = f"{column.low:.6g} to {column.high:.6g}, {seen}"
    return f"        {name}: Column(NUMBER, Check.in_range({bounds}), nullable={nullable}),  # {seen}"
