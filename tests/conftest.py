"""What every layer of tests has: no haste in property tests, and a last word on what took how long."""

import atexit
import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# PyTorch's threads would stand in each other's way on the processors that workers and steps share.
os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("seaway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("unshrunk", settings.get_profile("seaway"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("seaway")
TIMES = "SEAWAY_TEST_TIMES"  # a folder that the layers of one `make test` write their tests' seconds into, a file each
SLOWEST = 20
STDERR = 2


@atexit.register
def nothing_after_the_closing_line() -> None:
    """DuckDB's binding lists what is left of it when the interpreter ends, and pytest keeps some of it until then."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDERR)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """After each layer of `make test`: the slowest tests of those that have ended, and the seconds of each layer."""
    yield
    if folder := os.environ.get(TIMES):
        kept = Path(folder) / str(os.getpid())
        kept.write_text(json.dumps(taken(terminalreporter)))
        kept.rename(kept.with_suffix(".json"))  # whole for the layer beside this one
        layers = [json.loads(layer.read_text()) for layer in Path(folder).glob("*.json")]
        tell(terminalreporter, {test: seconds for layer in layers for test, seconds in layer.items()})


def taken(terminal: pytest.TerminalReporter) -> dict[str, float]:
    """Seconds of each test, what it sets up and clears away with it."""
    seconds: dict[str, float] = {}
    for reports in terminal.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid] = seconds.get(report.nodeid, 0.0) + report.duration
    return seconds


def tell(terminal: pytest.TerminalReporter, seconds: dict[str, float]) -> None:
    terminal.section(f"the {SLOWEST} slowest of {len(seconds):,} tests, in seconds of their own")
    for test in sorted(seconds, key=seconds.__getitem__, reverse=True)[:SLOWEST]:
        terminal.write_line(f"{seconds[test]:8.1f}  {test}")
    layers: dict[str, float] = {}
    for test, duration in seconds.items():
        layer = "/".join(Path(test.partition("::")[0]).parts[:2])
        layers[layer] = layers.get(layer, 0.0) + duration
    totals = ", ".join(f"{layer} {total:,.0f}" for layer, total in layers.items())
    terminal.write_line(f"{sum(layers.values()):8.1f}  in all: {totals}")
    terminal.write_line(f"{processor_s():8.1f}  of the processors, in this layer")


def processor_s() -> float:
    """User and system seconds of this process and of those that it has waited for, workers of xdist with theirs."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
