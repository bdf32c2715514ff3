"""What operators share when they run; every release carries a copy. Relative imports, stdlib and boto3 only."""
