"""The tests; `tests/fakes` holds what stands in for S3, Airflow, GitLab and the clock."""
