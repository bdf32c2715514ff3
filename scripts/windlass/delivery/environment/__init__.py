"""What an environment's Airflow shall hold: variables, connections, pools, its bundles."""
