"""What every pod of ours has in common."""
