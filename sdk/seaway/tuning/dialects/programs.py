"""Searches in Python: Ray Tune, hyperopt and Hyperas, Keras Tuner, and the dict of a Sweep. Nothing of them is run."""

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from seaway.errors import InvalidSpec
from seaway.tuning.dialects.documents import keras_parameter, sweeps
from seaway.tuning.dialects.draft import UNBOUNDED, Search
from seaway.tuning.dialects.source import Program, Unreadable

RAY, HYPEROPT, KERAS = "ray.tune.", "hyperopt.hp.", ("Int", "Float", "Choice", "Boolean", "Fixed")
When = Mapping[str, Any] | None
Draw = Callable[[Search, str, dict[str, Any], When], None]


def wandb(program: Program) -> Search:
    """The dict that `wandb.sweep` is given."""
    for node in ast.walk(program.tree):
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if {"method", "parameters"} <= keys:
                try:
                    return sweeps(program.value(node))
                except Unreadable as error:
                    raise InvalidSpec("The sweep has values that only running the program tells.") from error
    raise InvalidSpec("There is no dict with `method` and `parameters`, as a sweep is.")


def ray_tune(program: Program) -> Search:
    """Calls of `ray.tune` in a dict, which names them."""
    search = Search()
    for root in program.outermost(
        lambda node: program.called(node).startswith(RAY) and _ray(program, node) in RAY_DRAWS
    ):
        if isinstance(root, ast.Dict):
            _ray_dict(search, program, root, "")
        else:
            search.lose(f"{ast.unparse(root)}: it stands in no dict that names it")
    return search


def _is_ray(program: Program, node: ast.AST) -> bool:
    return program.called(node).startswith(RAY) and _ray(program, node) in RAY_DRAWS


def _ray(program: Program, node: ast.AST) -> str:
    return program.called(node).removeprefix(RAY).removeprefix("search.sample.")


def _ray_dict(search: Search, program: Program, node: ast.Dict, above: str) -> None:
    for name, value in _entries(search, program, node, above):
        resolved = program.named.get(value.id, value) if isinstance(value, ast.Name) else value
        kind = _ray(program, resolved)
        if isinstance(resolved, ast.Dict):
            _ray_dict(search, program, resolved, f"{name}.")
        elif kind in RAY_DRAWS and isinstance(resolved, ast.Call):
            _drawn(search, program, name, resolved, RAY_DRAWS[kind], None)
        else:
            _constant(search, program, name, resolved)


def _entries(search: Search, program: Program, node: ast.Dict, above: str) -> Iterator[tuple[str, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        try:
            if key is None:
                raise Unreadable
            yield f"{above}{program.value(key)}", value
        except Unreadable:
            search.lose(f"{ast.unparse(value)}: its name is told only by running the program")


def _constant(search: Search, program: Program, name: str, node: ast.expr) -> None:
    try:
        search.constant(name, program.value(node))
    except Unreadable:
        search.lose(f"{name} = {ast.unparse(node)}: its value is told only by running the program")


def _drawn(search: Search, program: Program, name: str, call: ast.Call, draw: tuple[str, Draw], when: When) -> None:
    names, make = draw
    try:
        make(search, name, program.arguments(call, tuple(names.split())), when)
    except (Unreadable, KeyError, TypeError):
        search.lose(f"{name} = {ast.unparse(call)}: its values are told only by running the program")


def _grid_search(search: Search, name: str, given: dict[str, Any], when: When) -> None:
    search.lose(f"{name}: grid_search, which tries each value with each draw of the others; here one is drawn")
    search.choice(name, given["values"], when)


def _unbounded(kind: str) -> Draw:
    return lambda search, name, _given, _when: search.lose(f"{name}: a {kind} {UNBOUNDED}")


def _code(search: Search, name: str, _given: dict[str, Any], _when: When) -> None:
    search.lose(f"{name}: a function, where a range here is a value")


def _int_below(search: Search, name: str, given: dict[str, Any], when: When, log: bool = False) -> None:
    search.number(name, given["lower"], given["upper"] - 1, whole=True, log=log, when=when)


def _ray_rounded(whole: bool = False, log: bool = False) -> Draw:
    def rounded(search: Search, name: str, given: dict[str, Any], when: When) -> None:
        search.rounded(name, given["lower"], given["upper"], given.get("q", 1), whole, log, when)

    return rounded


RAY_DRAWS: dict[str, tuple[str, Draw]] = {
    "uniform": ("lower upper", lambda s, n, g, w: s.number(n, g["lower"], g["upper"], when=w)),
    "quniform": ("lower upper q", _ray_rounded()),
    "loguniform": ("lower upper base", lambda s, n, g, w: s.number(n, g["lower"], g["upper"], log=True, when=w)),
    "qloguniform": (
        "lower upper q base",
        _ray_rounded(log=True),
    ),
    "randint": ("lower upper", _int_below),
    "lograndint": ("lower upper base", lambda s, n, g, w: _int_below(s, n, g, w, log=True)),
    "qrandint": ("lower upper q", _ray_rounded(whole=True)),
    "qlograndint": (
        "lower upper q base",
        _ray_rounded(whole=True, log=True),
    ),
    "choice": ("categories", lambda s, n, g, w: s.choice(n, g["categories"], w)),
    "grid_search": ("values", _grid_search),
    "randn": ("mean sd", _unbounded("normal")),
    "qrandn": ("mean sd q", _unbounded("normal")),
    "sample_from": ("func", _code),
}


def hyperopt(program: Program) -> Search:
    """Calls of `hyperopt.hp`; a dict's keys name them, else their labels."""
    search = Search(algorithm="tpe" if "tpe.suggest" in program.text else "")
    for root in program.outermost(lambda node: program.called(node).startswith(HYPEROPT)):
        _hyperopt(search, program, root, "", None)
    return search


def _hyperopt(search: Search, program: Program, node: ast.expr, name: str, when: When) -> None:
    node = program.named.get(node.id, node) if isinstance(node, ast.Name) else node
    called = program.called(node)
    whole = called.endswith("scope.int") or called == "int"
    if whole and isinstance(node, ast.Call):
        node = node.args[0]
        called = program.called(node)
    kind = called.removeprefix(HYPEROPT)
    if isinstance(node, ast.Dict):
        for key, value in _entries(search, program, node, f"{name}." if name else ""):
            _hyperopt(search, program, value, key, when)
    elif called.startswith(HYPEROPT) and isinstance(node, ast.Call):
        _hyperopt_call(search, program, node, name or _label(program, node), kind, when, whole)
    elif when is None:
        _constant(search, program, name, node)


def _label(program: Program, call: ast.Call) -> str:
    try:
        return str(program.value(call.args[0]))
    except (Unreadable, IndexError):
        return ast.unparse(call)


def _hyperopt_call(
    search: Search, program: Program, call: ast.Call, name: str, kind: str, when: When, whole: bool
) -> None:
    if kind in ("choice", "pchoice"):
        _options(search, program, call, name, kind, when)
    elif kind in HYPEROPT_DRAWS:
        names, make = HYPEROPT_DRAWS[kind]
        _drawn(search, program, name, call, (names, lambda s, n, g, w: make(s, n, {**g, "whole": whole}, w)), when)
    else:
        search.lose(f"{name}: {kind} {UNBOUNDED}")


def _options(search: Search, program: Program, call: ast.Call, name: str, kind: str, when: When) -> None:
    """A choice of values, or of dicts with parameters of their own, which are then there under a condition."""
    given = (
        call.args[1] if len(call.args) > 1 else next((one.value for one in call.keywords if one.arg == "options"), None)
    )
    given = program.named.get(given.id, given) if isinstance(given, ast.Name) else given
    options = list(given.elts) if isinstance(given, ast.List | ast.Tuple) else None
    if kind == "pchoice":
        search.lose(f"{name}: the probabilities of its values; here each is as likely as the others")
        options = [one.elts[1] for one in options or () if isinstance(one, ast.Tuple)]
    try:
        plain = [program.value(one) for one in options] if options is not None else program.value(given or call)
        search.choice(name, plain, when)
    except Unreadable:
        _branches(search, program, options or [], name, when)


def _branches(search: Search, program: Program, options: list[ast.expr], name: str, when: When) -> None:
    if when is not None:
        search.lose(f"{name}: a condition within a condition is there under the inner one alone")
    words = [_word(program, option, number) for number, option in enumerate(options)]
    search.choice(name, words, when)
    above = name.rpartition(".")[0]
    for word, option in zip(words, options, strict=True):
        inner = {"parameter": name, "values": [word]}
        for key, value in (
            _entries(search, program, option, f"{above}." if above else "") if isinstance(option, ast.Dict) else ()
        ):
            free = key if key not in search.space else f"{key}_{word}"
            if key != name:
                _hyperopt(search, program, value, free, inner)
        if not isinstance(option, ast.Dict):
            _hyperopt(search, program, option, f"{name}_{word}", inner)


def _word(program: Program, option: ast.expr, number: int) -> Any:
    """What stands for an option of a choice: its only constant text, else its number."""
    values = option.values if isinstance(option, ast.Dict) else [option]
    texts = [one.value for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return texts[0] if len(texts) == 1 else number


def _randint(search: Search, name: str, given: dict[str, Any], when: When) -> None:
    low, high = (given["low"], given["high"]) if "high" in given else (0, given["low"])
    search.number(name, low, high - 1, whole=True, when=when)


def _uniformint(search: Search, name: str, given: dict[str, Any], when: When) -> None:
    search.rounded(name, given["low"], given["high"], given.get("q", 1), whole=True, when=when)


HYPEROPT_DRAWS: dict[str, tuple[str, Draw]] = {
    "uniform": ("label low high", lambda s, n, g, w: s.number(n, g["low"], g["high"], when=w)),
    "quniform": ("label low high q", lambda s, n, g, w: s.rounded(n, g["low"], g["high"], g["q"], g["whole"], when=w)),
    "loguniform": (
        "label low high",
        lambda s, n, g, w: s.number(n, math.exp(g["low"]), math.exp(g["high"]), log=True, when=w),
    ),
    "qloguniform": (
        "label low high q",
        lambda s, n, g, w: s.rounded(n, math.exp(g["low"]), math.exp(g["high"]), g["q"], g["whole"], True, w),
    ),
    "uniformint": (
        "label low high q",
        _uniformint,
    ),
    "randint": ("label low high", _randint),
}


def hyperas(program: Program) -> Search:
    """Double braces of Hyperas, `{{uniform(0, 1)}}`, named by the call, argument or name that they are given to."""
    search, counts, last = Search(), dict[str, int](), "x"
    for name, call in _braces(program.tree, ""):
        last = name or last
        counts[last] = counts.get(last, -1) + 1
        told = f"{last}_{counts[last]}" if counts[last] else last
        kind = ast.unparse(call.func)
        if kind == "choice":
            labelled = ast.Call(call.func, [ast.Constant(told), *call.args], call.keywords)
            _options(search, program, labelled, told, kind, None)
        elif kind in HYPEROPT_DRAWS:
            names, make = HYPEROPT_DRAWS[kind]
            _drawn(search, program, told, call, (names.removeprefix("label "), _of_floats(make)), None)
        else:
            search.lose(f"{told}: a {kind} {UNBOUNDED}")
    return search


def _of_floats(make: Draw) -> Draw:
    return lambda search, name, given, when: make(search, name, {**given, "whole": False}, when)


def _braces(node: ast.AST, name: str) -> Iterator[tuple[str, ast.Call]]:
    match node:
        case ast.Set(elts=[ast.Set(elts=[ast.Call() as call])]):
            yield name, call
            return
        case ast.keyword():
            name = node.arg or name
        case ast.Call():
            yield from _braces(node.func, "")
            name = ast.unparse(node.func).rpartition(".")[2]
            for child in (*node.args, *node.keywords):
                yield from _braces(child, name)
            return
        case ast.Assign(targets=[ast.Name() as target]):
            name = target.id
        case ast.stmt() | ast.Compare():
            name = ""
    for child in ast.iter_child_nodes(node):
        yield from _braces(child, name)


def keras_tuner(program: Program) -> Search:
    """Calls such as `hp.Int("units", 32, 512)`, some of them in a `conditional_scope`."""
    search = Search()
    _keras(search, program, program.tree, None)
    return search


def _keras(search: Search, program: Program, node: ast.AST, when: When) -> None:
    if isinstance(node, ast.With):
        for item in node.items:
            if isinstance(item.context_expr, ast.Call) and program.called(item.context_expr).endswith(
                "conditional_scope"
            ):
                when = _keras_scope(search, program, item.context_expr, when)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in KERAS:
        _keras_call(search, program, node, node.func.attr, when)
    for child in ast.iter_child_nodes(node):
        _keras(search, program, child, when)


def _keras_scope(search: Search, program: Program, call: ast.Call, when: When) -> When:
    try:
        given = program.arguments(call, ("parent_name", "parent_values"))
        values = given["parent_values"]
    except (Unreadable, KeyError):
        search.lose(f"{ast.unparse(call)}: its condition is told only by running the program")
        return when
    if when is not None:
        search.lose(f"{given['parent_name']}: a condition within a condition is there under the inner one alone")
    return {"parameter": given["parent_name"], "values": values if isinstance(values, list) else [values]}


def _keras_call(search: Search, program: Program, call: ast.Call, kind: str, when: When) -> None:
    names = {"Choice": ("name", "values"), "Fixed": ("name", "value"), "Boolean": ("name",)}
    order = names.get(kind, ("name", "min_value", "max_value", "step", "sampling"))
    try:
        keras_parameter(search, kind, program.arguments(call, order), when)
    except (Unreadable, KeyError):
        search.lose(f"{ast.unparse(call)}: its values are told only by running the program")
