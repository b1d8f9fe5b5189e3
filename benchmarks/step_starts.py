"""How much processor time a step in a pod takes from its program's start to its component's first own statement.

That is Python itself, KFP's launcher, the component's source, and what its body imports first. What a component asks
of a place's backend it imports later: those of a cluster are measured by themselves.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from math import nan
from typing import Any

import yaml
from seaway import registry
from seaway.kfp import catalog
from seaway.registry import KUBERNETES

from benchmarks import Row, main

REPEATS = 3
GOAL_S = 1.5
LAUNCHER = "from kfp.dsl import executor_main"  # what the compiled command starts with -m
CLUSTER = ("Trainer", "Tuner", "Endpoint", "Traffic", "TrafficMetrics", "ModelRegistry", "RunRecords", "Approvals")
PROGRAM = """
import json, sys, time
for part in sys.argv[1:]:
    exec(compile(part, "step", "exec"), {})
print(json.dumps([time.process_time(), sorted(sys.modules)]))
"""


def measure() -> list[Row]:
    """Seconds of processor time with warm bytecode, the least of some starts."""
    least = _seconds([LAUNCHER])
    rows = [Row(entry.name, _seconds(start(entry)), least, "s", f"ours <= {GOAL_S} s", "lower", "other: KFP's launcher")
            for entry in catalog.components()]  # fmt: skip
    backends = [one for port in CLUSTER for one in registry.backends(port, KUBERNETES).values()]
    adapters = {one.adapter.partition(":")[0]: f"{one.port} {one.name}" for one in backends}
    for module, name in adapters.items():
        alone = _seconds([LAUNCHER, "import seaway.platforms", f"import {module}"])
        rows.append(Row(f"the same, of {name}", alone, nan, "s", "", "lower", "launcher and adapter"))
    return sorted(rows, key=lambda row: -row.ours)


def start(entry: catalog.Entry) -> list[str]:
    """The source texts that a step of a component runs before its body's first own statement, one after another."""
    compiled: dict[str, Any] = next(iter(yaml.safe_load_all(entry.compiled.read_text(encoding="utf-8"))))
    [executor] = compiled["deploymentSpec"]["executors"].values()
    source = executor["container"]["command"][-1]
    function = next(one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef))
    return [LAUNCHER, source, "\n".join(ast.unparse(one) for one in _first_imports(function.body))]


def _first_imports(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            return
        yield statement


def imported(parts: list[str]) -> tuple[float, list[str]]:
    """Seconds of processor time that a process takes for these source texts, and the modules that it then has."""
    environment = {**os.environ, "_KFP_RUNTIME": "true"}  # as the compiled command sets it
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *parts]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    seconds, modules = json.loads(done.stdout)
    return seconds, modules


def _seconds(parts: list[str]) -> float:
    return min(imported(parts)[0] for _ in range(REPEATS))


if __name__ == "__main__":
    main(measure)
