"""`windlass sign`: signs a release where it is kept, one from before there were keys or of a key that is retired."""

import os

import click

from windlass.cli import context
from windlass.cli.signing import key_option


@click.command("sign")
@click.argument("name", metavar="ENV")
@click.option("--release", "digest", metavar="DIGEST", help="The release by its name, at least 8 digits.")
@click.option("--commit", metavar="COMMIT", help="The release of this commit.  [default: what is live in ENV]")
@key_option
@context.environments_option
@context.project_option
@context.json_option
def command(
    name: str,
    digest: str | None,
    commit: str | None,
    key_file: str | None,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Sign the record of a release in ENV with your key.

    `windlass release` signs what it builds. This is for a release that was published without a key, or with one that
    ENV trusts no longer. Archive and models are checked against their digests first, and what the record says is
    printed: with your signature you vouch for it. A record that was altered since it was signed is refused.

    \b
    Examples:
      windlass sign prod --sign-key release.pem
      windlass sign prod --project digits --release 3f9a1c22 --sign-key release.pem
    """
    from windlass.cli import console, delivering, signing
    from windlass.delivery.release.publish import kept_record, sign_kept
    from windlass.spec.environment import find_environment
    from windlass.spec.errors import DeliveryError

    key = signing.key(key_file, os.environ)
    if key is None:
        raise DeliveryError(f"there is no key to sign with; give --sign-key or set {signing.VARIABLE}")
    environment = find_environment(context.environments(environments_dir), name)
    place, project = delivering.place(environment), context.project(project_given)
    signed = sign_kept(place, kept_record(place, project, digest or "", commit or ""), key)
    signing.warn_of_refusals({name: environment}, key)
    if as_json:
        console.print_json(signed.model_dump(mode="json"))
        return
    console.say(f"release {signed.release[:12]} of {project} is signed in {name} by {key.public}")
    for field, value in sorted(signed.model_dump(mode="json", exclude={"signature", "project"}).items()):
        if value:
            console.say(f"  {field}: {value}")
