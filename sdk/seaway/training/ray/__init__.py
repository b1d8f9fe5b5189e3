"""What runs on a Ray cluster that trains, however its job came there: by Ray's job API, or by a RayJob of KubeRay."""
