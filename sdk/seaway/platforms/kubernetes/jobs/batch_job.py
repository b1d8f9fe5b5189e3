"""Kubernetes' own batch/v1 Job."""

from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.jobs.kind import Kind, outcome_by_conditions

KIND = Kind(
    resource=Resource("batch", "v1", "jobs", "Job"),
    controller="the Job controller of kube-controller-manager",
    outcome=outcome_by_conditions(succeeded="Complete", failed="Failed"),
    pod_label="batch.kubernetes.io/job-name",
    suffix=len("-12345"),  # pods are <job>-<5 characters>
)
