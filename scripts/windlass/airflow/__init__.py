"""What runs inside Airflow: the bundle class that stages releases."""
