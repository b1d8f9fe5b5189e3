"""The component decorator, artifact helpers and the local run."""
