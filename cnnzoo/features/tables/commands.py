"""The reference of the command line, from what the commands say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click

from ...cli import cli
from ...render.markdown import verbatim

AS_IS = "\b\n"
"""With what a paragraph begins that click does not wrap."""


def commands() -> str:
    """Every command: how it is called, what it does, and its options."""
    parent = click.Context(cli, info_name="cnnzoo")
    found = {name: cli.get_command(parent, name) for name in cli.list_commands(parent)}
    return "\n\n".join(part for name, one in found.items() if one for part in _command(name, one, parent))


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"## {context.command_path}\n\n```text\n{usage}\n```"
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        yield _listing(paragraph) if paragraph.startswith(AS_IS) else _prose(paragraph)
    options = (param for param in command.params if isinstance(param, click.Option))
    records = filter(None, (option.get_help_record(context) for option in options))
    yield "\n".join(f"- `{names}`: {_prose(said)}" for names, said in records)
    yield from map(_prose, filter(None, [command.epilog]))


def _listing(paragraph: str) -> str:
    return f"```text\n{paragraph.removeprefix(AS_IS)}\n```"


def _prose(text: str) -> str:
    """Words as they are; what is in backticks is code, in Markdown too."""
    words = " ".join(text.split()).split("`")
    return "`".join(part if number % 2 else verbatim(part) for number, part in enumerate(words))
