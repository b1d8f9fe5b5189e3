"""The files of a project, out of the templates beside this file."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from pprint import pformat
from string import Template
from typing import Any

from seaway.data.columns import Column
from seaway.errors import InvalidSpec
from seaway.projects.history import POSITIVE, history
from seaway.projects.plan import EPOCHS, PATIENCE, ProjectPlan
from seaway.storage import atomic_path

WIDTH = 110
SPREAD = 0.1  # of the range that was seen, by which new numbers may lie beyond it
NAMES = {  # of the schema, which the pipeline's settings are made of
    "table": ("CATEGORICAL", "NUMERIC"),
    "images": ("CHANNELS", "PICTURE", "SIZE"),
    "texts": ("CATEGORICAL", "LENGTH", "NUMERIC", "TEXT"),
}
INPUTS = {  # as `split_table` is told of them
    "table": '"numeric": NUMERIC, "categorical": CATEGORICAL',
    "images": '"images": [PICTURE]',
    "texts": '"numeric": NUMERIC, "categorical": CATEGORICAL, "texts": [TEXT]',
}
SPLIT = ("KEYS", "LABEL", "TASK", "TIME")
WATCHED = ("KEYS", "LABEL", "TIME")
CONSTANT = re.compile(r"\b[A-Z]+\b")
_WINDOW = """\
        WINDOW earlier AS (
            PARTITION BY {name(ENTITY)} ORDER BY {name(TIME)}
            RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
        )
"""


def write(plan: ProjectPlan, folder: Path) -> list[Path]:
    """Write the project into `folder`, which is made, and give its files.

    Raises:
        InvalidSpec: the folder has files already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidSpec(f"{folder.absolute()} is not empty; choose another name, or remove it.")
    words = _words(plan)
    return [_written(folder / target, template, words) for target, template in _files(plan).items()]


def _files(plan: ProjectPlan) -> dict[str, str]:
    """Templates by the paths of what they become."""
    package = plan.package
    features = {f"{package}/features.py": "existing.py" if plan.repository else "features.py"}
    return {
        "pipeline.py": "pipeline.py",
        "monitoring.py": "monitoring.py",
        f"{package}/__init__.py": "init.py",
        f"{package}/schema.py": "schema.py",
        f"{package}/source.py": _source(plan),
        f"{package}/rules.py": "rules.py",
        **(features if plan.looked_up else {}),
        f"tests/test_{package}.py": "test.py",
        "README.md": "README.md",
    }


def _source(plan: ProjectPlan) -> str:
    """The template of what reads the rows."""
    if plan.content and plan.content.folder:
        return "folder.py" if plan.content.listed else "pictures.py"
    return "query.py" if plan.query else "source.py"


def _written(target: Path, template: str, words: Mapping[str, str]) -> Path:
    with atomic_path(target) as draft:
        draft.write_text(_filled(template, words), encoding="utf-8")
    return target


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = files("seaway.projects").joinpath(f"templates/{template}.tmpl").read_text(encoding="utf-8")
    return Template(text).substitute(words)


def _words(plan: ProjectPlan) -> dict[str, str]:
    values: dict[str, Any] = {
        "kinds": plan.kinds,
        "numeric": [*plan.numeric, *_looked_up(plan, number=True)],
        "categorical": [*plan.categorical, *_looked_up(plan, number=False)],
        "label": plan.label,
        "task": plan.task,
        "gate": plan.gate,
        "weights": plan.canary.weights,
        "requests": plan.canary.requests,
        "keep": plan.keys,
        "time": plan.time,
        "fractions": {f"{name}_fraction": share for name, share in plan.fractions.items()},
        "data": str(plan.data),
        "query": plan.query,
        **_of_content(plan),
    }
    plain = {
        "name": plan.name,
        "package": plan.package,
        "rows": f"{plan.rows:,}",
        "held_out": f"{plan.canary.held_out:,}",
        "passes": str(plan.canary.passes),
        "margin": str(plan.canary.margin),
        "batch_size": str(plan.batch_size),
        "epochs": str(EPOCHS),
        "patience": str(PATIENCE),
        "notes": "\n".join(f"- {note}" for note in map(_one_line, plan.notes)),
        "rules": "\n".join(_rules(plan)),
        "key": repr(_key(plan)),
        **_reading(plan),
        "word": _one_line(plan.label),
    }
    kind = _kind(plan)
    words = {name: _python(value) for name, value in values.items()} | plain
    words |= {part: _filled(f"{kind}_{part}", words) for part in ("schema", "settings")}
    words |= {"inputs": INPUTS[kind], "entrypoint": "" if kind == "table" else ', "entrypoint": TRAINER'}
    words |= _feast_words(plan, words) if plan.looked_up else _plain_words(plan, words)
    return words


def _reading(plan: ProjectPlan) -> dict[str, str]:
    """What the source and its test say, by what is learned from."""
    kind = _kind(plan)
    alone = kind == "texts" and bool(plan.content and plan.content.alone)
    needed = [*(["TIME"] if plan.time else []), *(["TEXT"] if alone else [])]
    return {
        "needed": f"[{', '.join(needed)}]",
        "network": '"encoder": "small"' if alone else '"encoder": "words", "hidden": [64, 32]',
        "tested": "KINDS, PICTURE" if kind == "images" else "KINDS",
        "all_columns": "{*KINDS, PICTURE}" if kind == "images" else "set(KINDS)",
    }


def _kind(plan: ProjectPlan) -> str:
    """What is learned from: `table`, `images` or `texts`."""
    return plan.content.kind if plan.content else "table"


def _of_content(plan: ProjectPlan) -> dict[str, Any]:
    """What the files say of a picture or a text."""
    content = plan.content
    if not content:
        return {}
    named = {"column": content.column, "file": content.file, "folder": str(content.folder)}
    return {**named, **content.settings}


def _plain_words(plan: ProjectPlan, words: Mapping[str, str]) -> dict[str, str]:
    monitored = ", ".join(sorted([*CONSTANT.findall(words["inputs"]), *WATCHED]))
    return {
        "split_import": "split_table",
        "schema_names": ", ".join(sorted([*SPLIT, *NAMES[_kind(plan)]])),
        "monitored": monitored,
        "recent_import": "get_recent_examples",
        "recent": _filled("recent_plain", words),
        "split": _filled("split_plain", words),
        "made": "",
        "more": "",
        "also": "",
    }


def _feast_words(plan: ProjectPlan, words: Mapping[str, str]) -> dict[str, str]:
    where = str(plan.repository.folder) if plan.repository else ""
    known = _python([*plan.numeric, *plan.categorical])
    more = [
        f"KNOWN = {known}  # inputs that are columns of the data",
        f"REPOSITORY = {where!r}  # of Feast" if where else f"ENTITY = {plan.entity!r}  # whose rows they are",
    ]
    earlier = history(plan)
    counted = any(POSITIVE in sql for sql in earlier.values())
    lines = "".join(f",\n            {sql} AS {name}" for name, sql in earlier.items())
    more += [f"POSITIVE = {plan.positive!r}  # of the label's names, the one that is counted"] if counted else []
    return {
        "split_import": "build_features, get_training_examples",
        "monitored": "KEYS",
        "recent_import": "build_features, get_recent_examples",
        "recent": _filled("recent_feast", words),
        "schema_names": "CATEGORICAL, KEYS, LABEL, NUMERIC, TASK",
        "split": _filled("split_feast", words),
        "made": ', "repository": repository',
        "more": "\n".join(more),
        "also": f"| `{plan.package}/features.py` | what is looked up for each row, as it stood at its time |\n",
        "entity_word": _one_line(plan.entity),
        "repository_word": _one_line(where),
        "feast_name": plan.name.replace("-", "_"),
        "before": ", with what had happened before" if earlier else "",
        "history_sql": lines,
        "positive_import": " POSITIVE," if counted else "",
        "window": _WINDOW if earlier else "",
    }


def _looked_up(plan: ProjectPlan, number: bool) -> list[str]:
    """Inputs that the data do not have."""
    if plan.repository:
        return plan.repository.numeric if number else plan.repository.categorical
    return list(history(plan)) if number else []


def _python(value: Any) -> str:
    return pformat(value, width=WIDTH, sort_dicts=False)


def _one_line(text: str) -> str:
    """For a docstring and a page."""
    return " ".join(text.split()).replace('"""', "'").replace("\\", "\\\\")


def _key(plan: ProjectPlan) -> list[str]:
    """What no two rows share."""
    return [name for name in plan.keys[:1] if not plan.repository and _unique(plan.columns[name], plan.rows)]


def _unique(column: Column, rows: int) -> bool:
    return not column.missing and column.distinct == rows


def _rules(plan: ProjectPlan) -> Iterator[str]:
    """A line a column."""
    yield from (_rule(plan.columns[name], kind, plan) for name, kind in plan.kinds.items())
    if plan.content and plan.content.folder:
        yield f"        {plan.content.column!r}: Column(),  # the bytes of a file"


def _rule(column: Column, kind: str, plan: ProjectPlan) -> str:
    """A line of the rules, with what was seen as its comment."""
    name = repr(column.name)
    seen = f"{column.distinct:,} values" + (f", {column.missing:,} missing" if column.missing else "")
    nullable = bool(column.missing) or column.name == plan.label
    if kind.startswith("time"):
        return f"        {name}: Column(TIME, nullable={nullable}),  # {seen}"
    if kind in ("text", "class"):
        return f"        {name}: Column(TEXT, nullable={nullable}),  # {seen}"
    if kind == "truth" or column.low is None or column.high is None:
        return f"        {name}: Column(NUMBER, Check.isin([0, 1]), nullable={nullable}),  # {seen}"
    room = SPREAD * (column.high - column.low)
    low = 0.0 if 0 <= column.low < room else column.low - room
    bounds = f"{low:.6g}, {column.high + room:.6g}"
    seen = f"{column.low:.6g} to {column.high:.6g}, {seen}"
    return f"        {name}: Column(NUMBER, Check.in_range({bounds}), nullable={nullable}),  # {seen}"
