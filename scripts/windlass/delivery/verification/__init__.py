"""Whether an Airflow shows a release and runs it well."""
