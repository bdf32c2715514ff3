"""Runs jobs outside of Airflow: a pipeline or a task on a laptop, and the contract tests of jobs."""
