"""How a network is divided among the processes that train it, by the name that `params` give it."""

from dataclasses import fields

from seaway.training.loop.pipeline_parallel import PipelineWorker
from seaway.training.loop.process_group import ShardedWorker, Worker
from seaway.training.loop.tensor_parallel import TensorWorker

DIVISIONS = {"ddp": Worker, "fsdp": ShardedWorker, "tensor": TensorWorker, "pipeline": PipelineWorker}


def divided(worker: Worker, parallel: str) -> Worker:
    """The worker as one of those that divide the network so; one alone has all of it."""
    kind = DIVISIONS[parallel] if worker.count > 1 else Worker
    return kind(**{field.name: getattr(worker, field.name) for field in fields(worker)})
