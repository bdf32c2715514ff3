"""Makes a release out of rendered files: adds the manifest and packs both into one archive."""

import json
from collections.abc import Mapping

from windlass.delivery.release.archive import MANIFEST, Archive, build_archive
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Manifest


def build_release(files: Mapping[str, bytes], manifest: Manifest) -> Archive:
    """The archive of `files` (paths below the project's folder) with the manifest beside them."""
    if MANIFEST in files:
        raise DeliveryError(f"the rendered files hold a {MANIFEST}; that name is taken by the release's own")
    content = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=1) + "\n"
    return build_archive(manifest.project, {**files, MANIFEST: content.encode()})
