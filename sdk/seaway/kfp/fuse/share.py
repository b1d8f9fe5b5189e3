"""How a pipeline's author says which steps may share a pod."""

import re

from kfp import kubernetes
from kfp.dsl import PipelineTask

from seaway.errors import InvalidSpec

ANNOTATION = "seaway.dev/share-pod"
NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


def share_pod(task: PipelineTask, name: str) -> PipelineTask:
    """Let `seaway compile --fuse` run a step in one pod with the steps of the same group and the same name.

    They run one after another, though some could have run at the same time; each is retried in the pod by its own
    policy where these differ, and the pod's results are reused only where all of theirs may be. A step whose name
    nobody shares has a pod of its own: so say it of one that fails on purpose, or Kubeflow keeps nothing of the steps
    before it. Name it alike where two nested pipelines use one component: kfp 2.17 mixes up what they say of its pods.

    Raises:
        InvalidSpec: the name is no DNS label of at most 40 letters.
    """
    if not NAME.fullmatch(name) or "--" in name:
        raise InvalidSpec(f"Pod name {name!r} is no lower-case DNS label of at most 40 letters, such as training.")
    return kubernetes.add_pod_annotation(task, ANNOTATION, name)
