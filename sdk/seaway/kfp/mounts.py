"""What the steps of a compiled pipeline are given on Kubeflow: settings, the storage's keys, the signing key, no root.

Kubeflow Pipelines reads it from the PlatformSpec, the compiled file's second document; a local run does not. Only steps
whose source imports Seaway are given anything, and only those that ask for them the signing key and the addresses of
notices. All of it is optional: where it is missing the step starts, and says what it needs. See
docs/design/steps-in-pods.md.
"""

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from kfp.compiler.pipeline_spec_builder import to_protobuf_value
from kfp.kubernetes import kubernetes_executor_config_pb2 as pb
from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.kfp.step_sources import seaway_sources
from seaway.platforms.pod_settings import NOTICES, SETTINGS, SIGNING, STORAGE, Mount

PLATFORM = "kubernetes"
ASKED_FOR = {SIGNING: "signing_keys(", NOTICES: "addressees("}  # Secrets of those steps that have these words


def with_mounts(
    platform: pipeline_spec_pb2.PlatformSpec, spec: pipeline_spec_pb2.PipelineSpec
) -> pipeline_spec_pb2.PlatformSpec:
    """What a pipeline's author has set, and the mounts of its steps beside it."""
    mounting = pipeline_spec_pb2.PlatformSpec()
    mounting.CopyFrom(platform)
    for label, text in seaway_sources(spec):
        _add(_mounts(text), mounting.platforms[PLATFORM].deployment_spec.executors[label])
    return mounting


def _mounts(text: str) -> pb.KubernetesExecutorConfig:
    secrets = [STORAGE, *(mount for mount, words in ASKED_FOR.items() if words in text)]
    return pb.KubernetesExecutorConfig(
        config_map_as_volume=[
            pb.ConfigMapAsVolume(
                config_map_name=SETTINGS.object,
                config_map_name_parameter=_constant(SETTINGS),
                mount_path=str(SETTINGS.path),
                optional=True,
            )
        ],
        security_context=pb.SecurityContext(run_as_non_root=True),  # as Pod Security `restricted` wants it said
        secret_as_volume=[
            pb.SecretAsVolume(
                secret_name=one.object, secret_name_parameter=_constant(one), mount_path=str(one.path), optional=True
            )
            for one in secrets
        ],
    )


def _constant(mount: Mount) -> pipeline_spec_pb2.TaskInputsSpec.InputParameterSpec:
    """The object's name, as a Pipelines of today reads it; earlier ones read the plain field."""
    parameter = pipeline_spec_pb2.TaskInputsSpec.InputParameterSpec()
    parameter.runtime_value.constant.CopyFrom(to_protobuf_value(mount.object))
    return parameter


def _add(mounts: pb.KubernetesExecutorConfig, executor: Struct) -> None:
    config = json_format.ParseDict(json_format.MessageToDict(executor), pb.KubernetesExecutorConfig())
    if config.HasField("security_context"):  # its author's
        mounts.ClearField("security_context")
    config.MergeFrom(mounts)
    executor.update(json_format.MessageToDict(config))
