"""A few runs of the soak of benchmarks/soak.py, whose two hundred take an hour."""

from pathlib import Path

from benchmarks.soak import Soak


def test_runs_killed_at_random_moments_leave_nothing_and_do_not_lie(tmp_path: Path) -> None:
    soak = Soak(tmp_path, seed=14)
    soak.run(6)
    assert soak.faults == []
    assert sum(soak.seen.values()) > 0
