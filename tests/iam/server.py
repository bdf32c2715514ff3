"""The stack's S3 server, which also writes down every question that it decides, so that a test can ask it again."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from windlass.stack import s3_server


def record_questions(path: str) -> None:
    """Appends to the file at `path` what a user asked for in S3 and whether it was allowed."""
    enforce = iam_evaluator.enforce

    def recorded(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Any = None
    ) -> Any:
        denied = enforce(key, action, service, region, resource_arn, service_context)
        if service == "s3" and key != os.environ["AWS_ACCESS_KEY_ID"]:
            question = {"key": key, "action": action, "resource": resource_arn, "context": service_context or {}}
            with Path(path).open("a") as file:
                file.write(json.dumps(question | {"allowed": denied is None}) + "\n")
        return denied

    iam_evaluator.enforce = recorded


if __name__ == "__main__":
    record_questions(os.environ["QUESTIONS"])
    asyncio.run(s3_server.main())
