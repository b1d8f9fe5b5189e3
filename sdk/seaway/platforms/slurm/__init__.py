"""Adapters of Slurm: a training as a batch job of a site's own scheduler."""
