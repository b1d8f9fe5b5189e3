"""Raw tables in, validated Parquet out."""
