"""What Airflow pays for reading a DAG file."""

import subprocess
import sys

import pytest


@pytest.mark.airflow
def test_reading_a_dag_file_imports_neither_boto3_nor_the_rest_of_windlass() -> None:
    script = """
import sys
from windlass.operators.deliver import Deliver
from windlass.operators.job import JobOperator
from windlass.operators.s3_to_file import S3ToFile
print(sorted(name for name in sys.modules if name in {"boto3", "botocore", "windlass.spec"}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
