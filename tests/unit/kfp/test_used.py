"""What a step's processes used, by the system's account."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from seaway.kfp.local import step_process
from seaway.kfp.local.steps import asked
from seaway.kfp.local.used import Child

LARGE = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', 'len(bytes(200 << 20))'])"


def test_what_a_process_waited_for_is_counted_too(tmp_path: Path) -> None:
    process = step_process.start([sys.executable, "-S", "-c", LARGE], os.environ, tmp_path / "log")
    assert process.wait() == 0
    assert process.used is not None
    assert process.used.memory_gib > 0.19
    assert process.used.cpu_seconds > 0


def test_who_asks_while_another_waits_is_not_kept_waiting_and_hears_the_same_end() -> None:
    popen = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    child = Child(popen.pid)
    popen.returncode = 0
    assert child.poll() is None
    ends: list[int] = []
    waiting = threading.Thread(target=lambda: ends.append(child.wait()))
    waiting.start()
    assert child.poll() is None
    os.kill(child.pid, signal.SIGTERM)
    waiting.join()
    assert ends == [-signal.SIGTERM] == [child.poll()] == [child.wait()]
    assert popen.stdin is not None
    popen.stdin.close()


def resources(**given: object) -> SimpleNamespace:
    """As kfp's message has them: numbers of its earlier versions, and texts."""
    accelerator = SimpleNamespace(count=given.pop("count", 0), resource_count=given.pop("resource_count", ""))
    numbers = dict.fromkeys(("cpu_request", "cpu_limit", "memory_request", "memory_limit"), 0.0)
    texts = dict.fromkeys(
        ("resource_cpu_request", "resource_cpu_limit", "resource_memory_request", "resource_memory_limit"), ""
    )
    return SimpleNamespace(**{**numbers, **texts, **given}, accelerator=accelerator)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (0, 0, 0)),
        ({"resource_cpu_request": "500m", "resource_memory_request": "2Gi"}, (0.5, 2, 0)),
        ({"resource_cpu_limit": "4", "resource_memory_limit": "512Mi", "resource_count": "2"}, (4, 0.5, 2)),
        ({"cpu_request": 1.5, "memory_request": 1.073741824, "count": 1}, (1.5, 1, 1)),
        ({"resource_cpu_request": "{{$.inputs.parameters['cpu']}}"}, (0, 0, 0)),
    ],
)
def test_what_a_step_asks_for_is_read_as_kubernetes_writes_it(
    given: dict[str, object], expected: tuple[float, float, float]
) -> None:
    found = asked(resources(**given))
    assert (found.asked_cpu, found.asked_memory_gib, found.asked_gpus) == pytest.approx(expected)
