"""The standard operators: ordinary Airflow operators, one class to a module; a release carries those it uses."""
