"""Steps that share a pod: the compiled pipeline with consecutive small steps joined, and what runs them in the pod.

`python -m seaway.kfp.fuse` is what runs there, so importing this package imports nothing.
See docs/design/fused-steps.md.
"""
