"""Where tables come from: functions for `ingest_tables`, one file each, that say which version they read."""
