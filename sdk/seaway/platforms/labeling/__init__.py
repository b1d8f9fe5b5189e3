"""Where people label: a folder, or Label Studio; the same on a laptop and in a pod."""
