"""What bash, zsh and fish are told besides what click tells them, when they complete a command."""

from __future__ import annotations

from typing import Any

from click.shell_completion import BashComplete, CompletionItem, FishComplete, ZshComplete, add_completion_class

BREAKS = (":", "=")
"""Where bash breaks words (COMP_WORDBREAKS), each of which is then a word of its own."""


@add_completion_class
class Bash(BashComplete):
    """Joins what bash has broken, gives it back only what stands behind the last break, and adds no space to a folder
    or a file whose name goes on."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", "COMPREPLY+=($value)\n            [[ $value == *[/:=] ]] && compopt -o nospace"
    )
    _left = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        joined = [""]
        for word in [*args, incomplete]:
            if (joined[-1] and word.startswith(BREAKS)) or joined[-1].endswith(BREAKS):
                joined[-1] += word
            else:
                joined.append(word)
        *args, incomplete = joined[1:]
        self._left = incomplete[: max(map(incomplete.rfind, BREAKS)) + 1]
        return args, incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        return f"{item.type},{item.value.removeprefix(self._left)}"


@add_completion_class
class Zsh(ZshComplete):
    """Adds no space to a folder or a file whose name goes on."""

    source_template = ZshComplete.source_template.replace(
        "compadd -U -V unsorted -a completions",
        "compadd -U -V unsorted -S '' -- ${(M)completions:#*[\\/:=]}\n"
        "        compadd -U -V unsorted -- ${completions:#*[\\/:=]}",
    )


@add_completion_class
class Fish(FishComplete):
    """Keeps a value with commas whole."""

    source_template = FishComplete.source_template.replace('split "," $completion', 'split -m 1 "," $completion')
