"""Kubeflow Pipelines' v2beta1 REST API for local runs, as kfp's client 2.17 calls it. See docs/design/dev.md."""
