"""Everything that talks to the outside: S3, Airflow, GitLab and git. Foreign exceptions end here as one sentence."""
