"""A process is known by pid and start time together: a pid may be given to another one once its own has ended."""

import psutil


def running(pid: int, started: float) -> bool:
    """Whether the process of that pid and start time (seconds since 1970, as the system counts) still runs."""
    try:
        process = psutil.Process(pid)
        return bool(process.create_time() == started and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
