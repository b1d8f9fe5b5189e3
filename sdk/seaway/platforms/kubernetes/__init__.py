"""The cluster: custom resources and the launcher."""
