"""Trainings as jobs of a Ray cluster, by its job API: nothing of Ray is needed where a step runs."""
