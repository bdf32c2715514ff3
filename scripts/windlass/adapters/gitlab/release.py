"""The GitLab release of a tag, and the file that it links to; each is made once."""

from dataclasses import dataclass
from typing import Any

from gitlab.exceptions import GitlabError

from windlass.adapters.gitlab.connection import Connection

LONGEST = 1_000_000
"""Characters: GitLab refuses a longer description."""


@dataclass(frozen=True)
class Asset:
    """What a release links to."""

    name: str
    url: str


def keep_release(connection: Connection, tag: str, notes: str, asset: Asset | None) -> bool:
    """Makes the release of a tag; False when there is one already, which gets the asset where it lacks it."""
    what, releases = "a release", connection.project.releases
    links = [{"name": asset.name, "url": asset.url, "link_type": "other"}] if asset else []
    content = {"tag_name": tag, "name": tag, "description": notes} | ({"assets": {"links": links}} if links else {})

    def find() -> Any | None:
        return _unless_missing(lambda: releases.get(tag, obey_rate_limit=False))

    def create() -> Any:
        try:
            return releases.create(content, obey_rate_limit=False)
        except GitlabError as error:
            if error.response_code != 409:
                raise
            return None  # somebody made it between the look and this

    made, is_new = connection.make(what, find, create)
    if made is None:
        made, is_new = connection.ask(what, find), False
    with connection.understood(what):
        if made.attributes["tag_name"] != tag:
            raise connection.not_understood(what)
        if asset and asset.name not in _names(made):
            _keep_link(connection, tag, asset)
    return is_new


def keep_file(connection: Connection, package: str, version: str, filename: str, content: bytes) -> Asset:
    """Keeps the file in the project's package registry, where a job's token may write and nothing expires.

    Its version must tell its content: ServiceError when something else is there.
    """
    what, packages = "a file of a package", connection.project.generic_packages

    def find() -> Any | None:
        return _unless_missing(lambda: packages.download(package, version, filename, obey_rate_limit=False))

    def create() -> Any:
        made = packages.upload(package, version, filename, data=content, obey_rate_limit=False)
        return content if made.attributes.get("message") == "201 Created" else b""

    with connection.understood(what):
        there, _ = connection.make(what, find, create)
    if there != content:
        raise connection.not_understood(what)
    path = f"{packages.path}/{package}/{version}/{filename}"
    return Asset(filename, f"{connection.client.api_url}{path}")


def _keep_link(connection: Connection, tag: str, asset: Asset) -> None:
    what, links = "a link of a release", connection.project.releases.get(tag, lazy=True).links

    def find() -> Any | None:
        every = links.list(iterator=True, per_page=100, obey_rate_limit=False)
        return next((one for one in every if one.attributes["name"] == asset.name), None)

    content = {"name": asset.name, "url": asset.url, "link_type": "other"}
    connection.make(what, find, lambda: links.create(content, obey_rate_limit=False))


def _names(release: Any) -> set[str]:
    return {str(link["name"]) for link in release.attributes.get("assets", {}).get("links", [])}


def _unless_missing(question: Any) -> Any | None:
    try:
        return question()
    except GitlabError as error:
        if error.response_code != 404:
            raise
        return None
