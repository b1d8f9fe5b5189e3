"""The laptop: processes on loopback."""
