"""How every step of the flights pipelines is named, sized, cached and tried again, and with whom it shares a pod.

What fails on purpose has a pod of its own, for Kubeflow keeps nothing of a pod that fails, and a closed gate and a
rollback are told by what was made before them, or it is the first step of a pod. The pods before and behind the gate
have one name, see `share_pod`.
"""

from kfp.dsl import PipelineTask
from seaway.kfp.fuse.share import share_pod

WAITS = "100m"  # of a core, for what asks a service or waits for pods of their own


def step(
    task: PipelineTask, title: str, cpu: str = "1", memory: str = "1Gi", cache: bool = True, pod: str = ""
) -> PipelineTask:
    """Name a step, request what it needs, and say whether its result may be reused and whose pod it may share."""
    task = task.set_display_name(title).set_cpu_request(cpu).set_memory_request(memory).set_caching_options(cache)
    return share_pod(task, pod) if pod else task


def retried(task: PipelineTask) -> PipelineTask:
    """Try a step again that calls a service; one that computes fails the same way each time."""
    return task.set_retry(num_retries=2, backoff_duration="5s", backoff_factor=2.0, backoff_max_duration="60s")
