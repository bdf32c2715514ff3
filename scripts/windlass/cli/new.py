"""`windlass new`: makes the repository of a model, or of pipelines, that passes its first pipeline."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windlass import __version__
from windlass.cli import console, context

if TYPE_CHECKING:
    from windlass.scaffold.files import Kind

DEFAULT_PLATFORM = "platform/windlass"
DEFAULT_REF = f"v{__version__}" if __version__.replace(".", "").isdigit() else "main"
"""The tag of this windlass; one that was never released has none."""


@click.command("new", short_help="Make the repository of a model or of pipelines.")
@click.argument("name", required=False)
@click.option("--path", type=click.Path(path_type=Path), metavar="DIR", help="Its folder.  [default: NAME]")
@click.option("--kind", type=click.Choice(["model", "pipelines"]), help="What it delivers.  [default: model]")
@click.option("--platform", metavar="PATH", help=f"GitLab's path of the platform.  [default: {DEFAULT_PLATFORM}]")
@click.option("--ref", metavar="TAG", help="Tag of the platform to include.  [default: this version's tag]")
@click.option("--flavor", metavar="NAME", default="cpu-1gb", show_default=True, help="Flavor of the jobs.")
@click.option("--image", metavar="NAME", default="python3-11", show_default=True, help="Image of the jobs.")
@click.option("--force", is_flag=True, help="Add to a folder that is not empty; no file in it is overwritten.")
@context.json_option
def command(
    name: str | None,
    path: Path | None,
    kind: "Kind | None",
    platform: str | None,
    ref: str | None,
    flavor: str,
    image: str,
    force: bool,
    as_json: bool,
) -> None:
    """Make the repository NAME: CI file, model, pipeline, code with a command line, tests and a sample of data.

    It passes `windlass lint` and `windlass test` as it is, and its first pipeline in GitLab (docs/new.md). Its code
    needs nothing but Python. The folder is made whole or not at all. On a terminal, what is missing is asked for.

    \b
    Examples:
      windlass new house_prices
      windlass new house_prices --platform data/windlass --ref v1.4.0
      windlass new exports --kind pipelines --path ~/code/exports
    """
    from windlass.scaffold.files import Request, checked, files
    from windlass.scaffold.place import place

    if name is None:
        name, kind, platform, ref = _ask(kind, platform, ref)
    request = Request(name, kind or "model", platform or DEFAULT_PLATFORM, ref or DEFAULT_REF, flavor, image)
    request = checked(request)
    folder = (path or Path(name)).absolute()
    written = files(request)
    kept = place(written, folder, beside=force)
    new = [one for one in written if one not in kept]
    shown = _shown(folder)
    steps = _next_steps(shown, request.name, request.ref, has_git=(folder / ".git").exists())
    result = {"name": request.name, "kind": request.kind, "folder": str(folder), "ref": request.ref}
    if as_json:
        console.print_json({**result, "files": sorted(new), "kept": sorted(kept), "next": steps})
    else:
        _report(shown, new, kept, steps)


def _ask(kind: "Kind | None", platform: str | None, ref: str | None) -> "tuple[str, Any, str, str]":
    """Name, kind, platform and tag: what was not given, a person says."""
    if not sys.stdin.isatty():
        raise click.UsageError("Missing argument 'NAME': what the project, its model and its pipeline are called.")
    return (
        click.prompt("Name", err=True),
        kind or click.prompt("Kind", type=click.Choice(["model", "pipelines"]), default="model", err=True),
        platform or click.prompt("GitLab's path of the platform", default=DEFAULT_PLATFORM, err=True),
        ref or click.prompt("Tag of it to include", default=DEFAULT_REF, err=True),
    )


def _shown(folder: Path) -> str:
    """The folder as a person would type it from here."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)


def _next_steps(folder: str, name: str, ref: str, *, has_git: bool) -> list[str]:
    """The commands that follow, in their order."""
    return [
        *([f"cd {shlex.quote(folder)}"] if folder != "." else []),
        *([] if has_git else ["git init --initial-branch=main"]),
        "git add --all",
        f'git commit -m "{name} begins"',
        "windlass lint",
        "windlass test",
        *(["windlass rehearse"] if ref == "main" else []),  # a tag need not be in the checkout that is rehearsed with
    ]


def _report(folder: str, new: list[str], kept: list[str], steps: list[str]) -> None:
    if not new:
        console.say(f"made nothing: all {len(kept)} files are in {folder} already")
        return
    console.say(f"made {len(new)} file{'' if len(new) == 1 else 's'} in {folder}")
    for one in sorted(kept):
        console.warn(f"{one} was there before and stays as it is")
    console.say("next:")
    for step in steps:
        console.say(f"  {step}")
    console.say(
        "then push it to a project of GitLab; README.md tells the rest, `windlass doctor` looks at its settings"
    )
