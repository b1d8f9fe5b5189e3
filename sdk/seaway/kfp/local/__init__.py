"""The local run: each step of a compiled pipeline as a process on this machine."""
