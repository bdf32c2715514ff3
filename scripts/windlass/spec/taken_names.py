"""Packages that an Airflow image has: a project of such a name would be hidden by them.

The bundle's folder comes last on Airflow's sys.path, so `from docker.operators.job import JobOperator` would look into
the package that is installed. A pipeline or an operator may have such a name: both are modules of their project.
"""

import sys

_OF_WINDLASS = "airflow windlass dags plugins config tests"
_OF_AIRFLOW = """
    a2wsgi aiofiles aiohappyeyeballs aiohttp aiosignal aiosmtplib aiosqlite alembic annotated_doc annotated_types anyio
    argcomplete arrow asgiref asn1crypto asyncpg attr attrs babel boto3 botocore bs4 cachetools cadwyn certifi cffi
    charset_normalizer click colorlog cron_descriptor croniter cryptography daemon dateutil deprecated dill docker
    dotenv durationpy fastapi frozenlist fsspec gitlab google greenback greenlet griffe grpc h11 httpcore httpx idna
    importlib_metadata inflection isoduration itsdangerous jinja2 jmespath jsonpath_ng jsonschema
    jsonschema_specifications jwt kubernetes kubernetes_asyncio lazy_importer lazy_object_proxy libcst linkify_it
    lockfile lxml mako markdown_it markupsafe marshmallow mdurl methodtools more_itertools msgspec multidict natsort
    oauthlib opentelemetry outcome packaging pathlib_abc pathspec pendulum pluggy propcache psutil psycopg psycopg2
    psycopg_binary pyarrow pyathena pycparser pydantic pydantic_core pygments pygtrie pytz redshift_connector
    referencing requests requests_oauthlib requests_toolbelt rich rich_argparse rpds s3transfer sagemaker_studio scramp
    setproctitle setuptools six slugify sniffio soupsieve sqlalchemy sqlparse starlette structlog svcs tabulate
    tenacity termcolor text_unidecode tools typing_extensions typing_inspection tzdata upath urllib3 uuid6 uvicorn
    watchtower websocket wirerope wrapt yaml yarl zipp
"""
_OF_IMAGES = "numpy pandas polars pip pkg_resources wheel"
TAKEN = frozenset({*_OF_WINDLASS.split(), *_OF_AIRFLOW.split(), *_OF_IMAGES.split()}) | sys.stdlib_module_names
"""What a project cannot be called: Python's own modules, what Airflow brings with it, and what most images add."""
