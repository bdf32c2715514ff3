"""The local stack: an S3 server, a small GitLab stand-in and three Airflow instances on this machine only."""
