"""Forwards written out as source: one line a call, so that what traces, scripts or exports modules reads plain code."""

from __future__ import annotations

import linecache
from collections import namedtuple
from collections.abc import Iterator, Mapping
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple, Optional, TypeVar

import torch  # noqa: F401
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint  # noqa: F401

from ...arch.edit import find, walk
from ...arch.join import Flow, Join
from ...arch.meetings import Meeting
from ...arch.node import Node, Ports
from ...arch.sequential import Aux, Sequential
from ...arch.steps import Entered, Run, Several, Step, values_of
from ...arch.walker import child_path

M = TypeVar("M", bound="Written")


class Line(NamedTuple):
    """One call in a forward, or one expression."""

    made: tuple[str, ...]
    """The variables that it makes."""
    form: str
    """Its source: `child` stands for the module, `all` for what it reads, and numbers for each of that."""
    reads: tuple[str, ...]
    child: str = ""
    """The path of the module that is called."""

    def __str__(self) -> str:
        called = self.form.format(*self.reads, all=", ".join(self.reads), child=child_of(self.child))
        return f"{', '.join(self.made)} = {called}"


CALL = "{child}({all})"


class Program(NamedTuple):
    """What a block's forward does, in the names of its own children: equal blocks have equal programs."""

    arguments: int
    """How many tensors enter: x0, x1, …"""
    lines: tuple[Line, ...]
    given: tuple[str, ...]
    """The variables that are returned."""
    heads: tuple[tuple[str, str], ...] = ()
    """Auxiliary heads, each with the variable that it reads."""

    def body(self) -> Iterator[str]:
        """The children, the last first, that make the first of the values that meet in a join itself."""
        makers = {variable: line for line in self.lines for variable in line.made}
        (read,) = (line.reads[0] for line in self.lines if not line.child)
        while read in makers:
            yield makers[read].child
            (read,) = makers[read].reads

    def without(self, name: str) -> Program:
        """The program where a child of one value hands on what it reads."""
        instead: dict[str, str] = {}
        lines = []
        for line in self.lines:
            reads = tuple(instead.get(one, one) for one in line.reads)
            if line.child == name and line.form == CALL and len(line.made) == len(reads) == 1:
                instead[line.made[0]] = reads[0]
            else:
                lines.append(line._replace(reads=reads))
        given = tuple(instead.get(one, one) for one in self.given)
        heads = tuple((head, instead.get(read, read)) for head, read in self.heads if head != name)
        return Program(self.arguments, tuple(lines), given, heads)


class Written(nn.Module):
    """A module whose class is made for its program; in a pickle stands the program. A child that is deleted hands on
    what it read."""

    program: Program

    def __delattr__(self, name: str) -> None:
        child = name in self._modules
        super().__delattr__(name)
        if child and "program" in vars(type(self)):
            base: Any = type(self).__base__
            self.__class__ = written(base, self.program.without(name))

    def __reduce_ex__(self, protocol: Any) -> Any:
        if "program" not in vars(type(self)):
            return super().__reduce_ex__(protocol)
        return _revived, (type(self).__base__, self.program), self.__dict__


def _revived(base: type[M], program: Program) -> M:
    made: M = object.__new__(written(base, program))
    return made


_WRITTEN: dict[tuple[Any, Program], Any] = {}


def written(base: type[M], program: Program) -> type[M]:
    """The subclass with the program for its forward; equal programs share it."""
    made: type[M] | None = _WRITTEN.get((base, program))
    return made or _WRITTEN.setdefault((base, program), _compiled(base, program))  # several threads may write it


def _compiled(base: type[M], program: Program) -> type[M]:
    text = _source(program, getattr(base, "checkpointed", None) is not None)
    file = f"<{base.__name__} {next(_NUMBERS)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    methods: dict[str, Any] = {}
    returned = outputs(*(name for name, _ in program.heads))
    exec(compile(text, file, "exec"), globals(), methods)  # of the names of children alone, each a literal
    own = methods["methods"](returned) | {"program": program, "__module__": base.__module__, "__doc__": base.__doc__}
    return type(base.__name__, (base,), own)


_NUMBERS = count(1)


def _source(program: Program, checkpoints: bool) -> str:
    """The methods of a program, in a function that is given the class of what a network with heads returns."""
    arguments = ", ".join(f"x{number}" for number in range(program.arguments))
    given = ", ".join(program.given)
    calls = [*map(str, program.lines)]
    body = [*calls, f"return {given}"]
    if program.heads:
        body = [*calls, "if torch.jit.is_scripting():"]
        for number, (name, read) in enumerate(program.heads):
            body += [f"    y{number}: Optional[Tensor] = None", f"    if self.{name} is not None:"]
            body += ["        if self.training:", f"            y{number} = self.{name}({read})"]
        found = (f"y{number}" for number in range(len(program.heads)))
        body += [f"    return returned({', '.join([given, *found])})", "else:"]
        seen = ", ".join(f"{name!r}: {read}" for name, read in program.heads)
        body += [f"    return self.headed({given}, {{{seen}}})"]
    lines = ["def methods(returned):"]
    if checkpoints:
        lines += [
            f"    def forward(self, {arguments}):",
            "        if self.checkpointed and not torch.jit.is_scripting():",
        ]
        lines += [f"            return checkpoint(self._run, {arguments}, use_reentrant=False)"]
        lines += [f"        return self._run({arguments})", f"    def _run(self, {arguments}):"]
        lines += [f"        {line}" for line in body]
        lines += ["    return {'forward': forward, '_run': _run}"]
    else:
        lines += [f"    def forward(self, {arguments}):", *(f"        {line}" for line in body)]
        lines += ["    return {'forward': forward}"]
    return "\n".join(lines) + "\n"


_OUTPUTS: dict[tuple[str, ...], Any] = {}


def outputs(*heads: str) -> Any:
    """What a network with these heads returns in training, as a class: `Outputs(logits, aux1, aux2)`."""
    if heads not in _OUTPUTS:
        made = namedtuple("Outputs", ("logits", *heads))  # type: ignore[misc]
        made._jit_override_qualname = f"__torch__.{__name__}.Outputs{len(_OUTPUTS)}"  # type: ignore[attr-defined]
        made.__reduce__ = _reduced  # type: ignore[method-assign, assignment]
        made.__annotations__ = {"logits": Tensor, **dict.fromkeys(heads, Optional[Tensor])}  # noqa: UP045 - for jit.script
        return _OUTPUTS.setdefault(heads, made)
    return _OUTPUTS[heads]


def looks_of(description: Node) -> dict[str, Ports]:
    """The paths in a block of the values that its forward returns beside its own, as later steps read them, by the
    path of the block; layers that run again return the same each time."""
    found: dict[str, dict[str, None]] = {}

    def wanted(path: str, node: Node, inner: str) -> None:
        found.setdefault(path, {})[inner] = None
        name, _, rest = inner.partition(".")
        if rest:
            child = find(node, name)
            layers = child.layers if isinstance(child, Run) else name
            wanted(child_path(path, layers), find(node, layers), rest)

    for path, node in walk(description):
        if isinstance(node, Sequential) and node._plan is not None:
            for step in node._plan.steps:
                for inner in step.looks:
                    wanted(child_path(path, step.layers or step.name), step.node, inner)
    return {path: tuple(inner) for path, inner in found.items()}


def _reduced(found: Any) -> Any:
    return _outputs, (found._fields[1:], tuple(found))


def _outputs(heads: tuple[str, ...], values: tuple[Tensor, ...]) -> Any:
    return outputs(*heads)(*values)


class Writer(Flow[Any]):
    """The flow of the variables of a program through a join, which is called with the values of the ports `entering`
    (none for one value), all that enter if `everything`. `looks` are those of the whole description, and `path` is that
    of the join."""

    def __init__(
        self, join: Join, path: str, entering: Ports, looks: Mapping[str, Ports], everything: bool = False
    ) -> None:
        self.lines: list[Line] = []
        self.heads: list[tuple[str, str]] = []
        self.path = path
        self.looks = looks
        self.seen: dict[str, str] = {}
        """The variables of the values in it, by path."""
        self.numbers = count(max(1, len(entering)))
        x: Any = "x0"
        if entering:
            kind = Several if everything else Entered
            x = kind((name, f"x{number}") for number, name in enumerate(entering))
        y = join.flow(x, self)
        self.given = (*values_of(y), *(self.seen[inner] for inner in looks.get(path, ())))
        self.arguments = max(1, len(entering))

    @property
    def program(self) -> Program:
        return Program(self.arguments, tuple(self.lines), self.given, tuple(self.heads))

    def run(self, name: str, child: Node, x: Any) -> Any:
        if isinstance(child, Aux):
            self.heads.append((name, x))
            return x
        return self._call(name, name, child, x)

    def look(self, name: str, child: Node, x: Any, paths: Ports) -> Any:
        return self._call(name, name, child, x)

    def again(self, step: Step, x: Any) -> Any:
        return self._call(step.name, step.layers, step.node, x)

    def inner(self, path: str) -> Any:
        return self.seen[path]

    def meet(self, name: str, meeting: Meeting, parts: list[Any]) -> Any:
        together = CALL if meeting._of_regions else "{child}([{all}])"
        form = together if name else EXPRESSIONS[meeting.operator]
        y = self.seen[name] = f"x{next(self.numbers)}"
        self.lines.append(Line((y,), form, tuple(parts), name))
        return y

    def _call(self, name: str, path: str, node: Node, x: Any) -> Any:
        looks = self.looks.get(child_path(self.path, path), ())
        values = [x.part(port) for port in node._takes] if isinstance(x, Several) else [x]
        made = [f"x{next(self.numbers)}" for _ in range(len(node._gives or ("",)) + len(looks))]
        self.lines.append(Line(tuple(made), CALL, tuple(values), path))
        self.seen |= {
            f"{name}.{look}": variable for look, variable in zip(reversed(looks), reversed(made), strict=False)
        }
        y: Any = Several(zip(node._gives, made, strict=False)) if node._gives else made[0]
        self.seen[name] = y
        return y


EXPRESSIONS = {"add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "cat": "torch.cat([{all}], 1)"}
"""What a join does with the values that meet in it, by its operator."""


def child_of(path: str) -> str:
    """The source that gets a child's module."""
    found = "self"
    for name in path.split("."):
        plain = name.isidentifier() and name.isascii() and not iskeyword(name)
        found = f"{found}.{name}" if plain else f"getattr({found}, {name!r})"
    return found
