"""The GitLab stand-in as a service of the stack."""

import json
import sys
from pathlib import Path

from .service import Service, answers
from .settings import Settings


def service(home: Path, settings: Settings) -> Service:
    """How the stand-in is started; its token goes into a file, not onto the command line."""
    folder = home / "gitlab"
    private = {"url": settings.url("gitlab"), "operator_token": settings.operator_token}
    return Service(
        name="gitlab",
        url=settings.url("gitlab"),
        command=[sys.executable, "-m", "windlass.stack.gitlab", str(folder)],
        environment={"WINDLASS_GITLAB_URL": settings.url("gitlab")},
        folder=folder,
        log=home / "logs" / "gitlab.log",
        ailing=lambda: answers(f"{settings.url('gitlab')}/-/health"),
        patience=60,
        files={folder / "settings.json": json.dumps(private)},
    )
