"""The command `windlass`: finds a command's module when it is asked for, and turns a stop into an exit code."""

import importlib
import sys
import traceback
from typing import TYPE_CHECKING, Any

import click

from windlass import __version__
from windlass.cli import console
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.cli.context import OpenStore

COMMANDS = (
    "new",
    "doctor",
    "lint",
    "explain",
    "schema",
    "render",
    "check",
    "operators",
    "run",
    "test",
    "train",
    "split",
    "merge",
    "release",
    "sign",
    "sign-key",
    "plan",
    "gate",
    "override",
    "promote",
    "review",
    "verify",
    "rollback",
    "hold",
    "release-hold",
    "freeze",
    "unfreeze",
    "status",
    "history",
    "metrics",
    "diff",
    "env",
    "gc",
    "stack",
    "rehearse",
)
"""The commands in the order in which a delivery uses them; each is the module `windlass.cli.<name>` (`_` for `-`)."""


class Commands(click.Group):
    """A group that imports a command's module only when that command runs: `lint` never pays for boto3."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"windlass.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from windlass.spec.problem import near

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"unknown command {args[0]!r}{near(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "-V", "--version", prog_name="windlass")
def windlass() -> None:
    """Lifts models and pipelines from a merge request to production Airflow.

    \b
    Exit codes: 0 fine, 1 problems found, 2 the request cannot be met,
                3 a service refused, 75 try again later, 70 a bug.
    """


def main(open_store: "OpenStore | None" = None) -> None:
    """Runs the command line. A bug keeps its traceback and exits with 70; everything else is one sentence.

    Buckets are S3's unless `open_store` gives others.
    """
    console.accept_any_text()
    try:
        code = windlass(standalone_mode=False, obj=open_store)
    except WindlassError as stop:
        console.fail(str(stop))
        code = stop.exit_code
    except click.UsageError as usage:
        usage.show()
        code = 2
    except click.ClickException as stop:
        console.fail(stop.format_message())
        code = stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.fail("interrupted")
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as error:
        console.fail(f"{error.filename or 'output'}: {(error.strerror or str(error)).lower()}")
        code = 2
    except Exception:
        traceback.print_exc()
        console.fail("this is a bug in windlass; please report it with the lines above")
        code = 70
    sys.exit(code if isinstance(code, int) else 0)
