"""A pipeline of Amazon SageMaker: one training job a step, which mounts a file system that all of them share.

A training job and no processing job, because only the first mounts a file system: steps find what earlier ones gave
there, as on every other orchestrator. https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html
"""

import hashlib
import json
from typing import Any

from seaway.errors import InvalidSpec
from seaway.exports.port import Source
from seaway.exports.units import Unit

VERSION = "2020-12-01"
CHANNEL = "state"
HOME = f"/opt/ml/input/data/{CHANNEL}"  # where SageMaker mounts the channel
NAME_LENGTH, WORD_LENGTH = 64, 256  # of a step, of a container's argument
HASH_LENGTH = 8
LONGEST_S = 5 * 24 * 3600
WANTED = {
    "Role": "ARN of the role that the jobs have",
    "FileSystem": "id of an EFS file system, fs-...",
    "Subnet": "id of a subnet that reaches it",
    "SecurityGroup": "id of a security group that may",
    "Output": "s3:// prefix for what SageMaker keeps of each job",
}


class SageMaker:
    """The pipeline's definition, as `aws sagemaker create-pipeline` takes it."""

    file = "{name}.sagemaker.json"
    apart = True
    losses = (
        "parameters of a run that are longer than 512 characters together, as JSON: SageMaker hands over no more",
        "exit tasks after a failure: SageMaker starts nothing then. End what a run left by `seaway down`",
        "endpoints that a step starts on its own machine: they end with its job. Deploy to Kubernetes by SEAWAY_*",
    )
    advice = (
        "Copy {name}.pipeline.yaml to the file system's root, then: aws sagemaker create-pipeline "
        "--pipeline-name {name} --pipeline-definition file://{file} --role-arn ROLE"
    )

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        if not source.image:
            raise InvalidSpec("SageMaker runs images: name one that has Seaway and what the steps need by --image.")
        definition = {"Version": VERSION, "Parameters": _parameters(source), "Steps": _steps(source)}
        return json.dumps(definition, indent=1) + "\n"


def _parameters(source: Source) -> list[dict[str, Any]]:
    """Those of AWS, which have to be given, and the pipeline's, as JSON in one: what is not in it has its default."""
    defaults = {"Image": source.image, "Instance": "ml.m5.xlarge", "Parameters": "{}"}
    return [
        *({"Name": name, "Type": "String"} for name in WANTED),
        *({"Name": name, "Type": "String", "DefaultValue": value} for name, value in defaults.items()),
    ]


def _steps(source: Source) -> list[dict[str, Any]]:
    return [_step(unit, source) for unit in source.units]


def _step(unit: Unit, source: Source) -> dict[str, Any]:
    step = {"Name": _name(unit.name), "Type": "Training", "DisplayName": unit.title, "Arguments": _job(unit, source)}
    return step | ({"DependsOn": [_name(name) for name in unit.after]} if unit.after else {})


def _name(unit: str) -> str:
    """A long one ends in its hash."""
    if len(unit) <= NAME_LENGTH:
        return unit
    return f"{unit[: NAME_LENGTH - HASH_LENGTH - 1]}-{hashlib.sha256(unit.encode()).hexdigest()[:HASH_LENGTH]}"


def _job(unit: Unit, source: Source) -> dict[str, Any]:
    """The request that SageMaker makes of the step, but for the job's name, which is its own."""
    words = [f"{HOME}/{source.compiled.name}", unit.place, "--run", {"Get": "Execution.PipelineExecutionId"}]
    if longest := [word for word in words if len(word) > WORD_LENGTH]:
        raise InvalidSpec(f"SageMaker takes words of {WORD_LENGTH} characters, and {longest[0]!r} is longer.")
    mounted = {
        "FileSystemId": _get("FileSystem"),
        "FileSystemType": "EFS",
        "FileSystemAccessMode": "rw",
        "DirectoryPath": "/",
    }
    return {
        "AlgorithmSpecification": {
            "TrainingImage": _get("Image"),
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["seaway", "step"],
            "ContainerArguments": words,
        },
        "Environment": {"SEAWAY_HOME": HOME, "SEAWAY_PARAMETERS": _get("Parameters")},
        "InputDataConfig": [{"ChannelName": CHANNEL, "DataSource": {"FileSystemDataSource": mounted}}],
        "OutputDataConfig": {"S3OutputPath": _get("Output")},
        "ResourceConfig": {"InstanceType": _get("Instance"), "InstanceCount": 1, "VolumeSizeInGB": 50},
        "RoleArn": _get("Role"),
        "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_S},
        "VpcConfig": {"SecurityGroupIds": [_get("SecurityGroup")], "Subnets": [_get("Subnet")]},
    }


def _get(parameter: str) -> dict[str, str]:
    return {"Get": f"Parameters.{parameter}"}
