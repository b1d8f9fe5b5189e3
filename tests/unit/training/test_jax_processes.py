"""JAX's variables out of torch's: alone, beside others, and anew after a start that failed."""

import ast
import os
import subprocess
import sys

import pytest
from free_ports import free_ports
from seaway.training import jax_processes

PROGRAM = """
import os, sys
from seaway.training.jax_processes import variables
print(*variables(os.environ).items(), sep="\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def test_a_process_that_is_alone_meets_itself_on_loopback() -> None:
    made = jax_processes.variables({})
    assert (made["JAX_NUM_PROCESSES"], made["JAX_PROCESS_ID"]) == ("1", "0")
    assert made["JAX_COORDINATOR_ADDRESS"] == made["JAX_COORDINATOR_BIND_ADDRESS"]
    assert made["JAX_COORDINATOR_ADDRESS"].startswith("127.0.0.1:")
    assert "JAX_LOCAL_DEVICE_IDS" not in made


def test_processes_agree_on_a_port_that_is_not_torchs() -> None:
    [port] = free_ports(1)
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, **common, "RANK": rank, "LOCAL_RANK": rank},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in ("1", "0")
    ]
    said = [dict(ast.literal_eval(line) for line in process.communicate()[0].splitlines()) for process in started]
    assert [one.pop("JAX_PROCESS_ID") for one in said] == ["1", "0"]
    assert [one.pop("JAX_LOCAL_DEVICE_IDS") for one in said] == ["1", "0"]
    assert said[0] == said[1]
    assert said[0]["JAX_COORDINATOR_ADDRESS"] != f"127.0.0.1:{port}"


def test_without_jax_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax_processes, "find_spec", lambda name: None)
    before = dict(os.environ)
    jax_processes.offer()
    assert dict(os.environ) == before
