"""Manifests that somebody wrote, read and judged before they are sent: `seaway check FILE`."""
