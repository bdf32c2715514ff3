"""Releases as plain files, for an Airflow without the bundle class."""
