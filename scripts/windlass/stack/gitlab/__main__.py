"""`python -m windlass.stack.gitlab HOME`: serves the stand-in; address and tokens are in HOME/settings.json."""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from .app import Standin, build


def main() -> None:
    """Serves until it is told to stop."""
    home = Path(sys.argv[1])
    settings = json.loads((home / "settings.json").read_text())
    address = urlsplit(settings["url"])
    assert address.hostname and address.port
    app = build(Standin(home, settings["url"], settings["operator_token"]))
    uvicorn.run(app, host=address.hostname, port=address.port, loop="asyncio", server_header=False)


main()
