"""S3 and what speaks its protocol, for laptops and pods alike."""
