"""What is staged beside the releases: the settings of the environment, in the bytes that pipelines read."""

import json

from windlass.spec.environment import RuntimeSettings
from windlass.spec.stored import content_of


def environment_json(settings: RuntimeSettings) -> bytes:
    """The bytes of `environment.json` at a bundle's root: equal settings have equal bytes."""
    return (json.dumps(content_of(settings), sort_keys=True, indent=1) + "\n").encode()
