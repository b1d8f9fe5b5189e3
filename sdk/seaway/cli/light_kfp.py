"""Importing kfp without its API client, whose Kubernetes models take most of the time (2 of 3 s)."""

import os
import sys

SWITCH = "_KFP_RUNTIME"  # kfp's own: set in its launcher, so that a step's process imports only what it needs


def import_kfp() -> None:
    """Import `kfp` alone by its runtime switch; `kfp.dsl` and the rest then load in full.

    For a process of ours only: `kfp.Client` is missing in it afterwards.
    """
    if "kfp" in sys.modules or SWITCH in os.environ:
        return
    os.environ[SWITCH] = "true"
    try:
        import kfp  # noqa: F401
    finally:
        del os.environ[SWITCH]
