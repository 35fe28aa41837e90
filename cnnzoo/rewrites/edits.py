"""How a rewrite changes a description at several paths at once, and which names have to stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..arch import Aux, Collect, Concat, Identity, Join, Meeting, ModuleList, Node, Run, Sequential
from ..arch.edit import find, rebuilt, walk
from ..arch.walker import child_path


def edited(description: Node, edits: Mapping[str, Node | None]) -> Node:
    """The description with another node at each path of `edits`; None removes what is there. A row of layers of
    which none is left goes, too, unless it is a branch or a shortcut. What reads by name what is gone reads what that
    read; an Identity stands for a branch, and where a name has to stay, as of what is looked up in a block."""
    kept = names_kept(description)
    touched = {path.rpartition(".")[0] for path in edits if path}
    for path in list(touched):
        while path:
            path = path.rpartition(".")[0]
            touched.add(path)

    def at(path: str, node: Node) -> Node | None:
        if path in edits:
            return Identity() if edits[path] is None and path in kept else edits[path]
        if path not in touched:
            return node
        assert isinstance(node, Join)
        children: dict[str, Node | None] = {}
        for name, child in node.children:
            new = children[name] = at(child_path(path, name), child)
            if new is None and isinstance(node, Collect | Concat | ModuleList):
                new = children[name] = Identity()
            empty = new is not child and isinstance(new, Sequential) and not len(new)
            if empty and isinstance(node, Sequential) and child_path(path, name) not in kept:
                children[name] = None
        return node if tuple(children.items()) == node.children else rebuilt(node, children, path)

    return at("", description) or Identity()


def names_kept(description: Node) -> set[str]:
    """The paths that steps name other than as what a sibling reads: values in a block, layers that run again, and
    values that are read or given together, which go by the end of their name; also what auxiliary heads hang on."""
    return {name for _, name in names_read(description)}


def names_read(description: Node) -> Iterator[tuple[str, str]]:
    """The same, each with the path of the block whose steps name it."""
    for path, node in walk(description):
        if not isinstance(node, Sequential):
            continue
        found = {child_path(path, child.source) for child in node if isinstance(child, Aux)}
        for step in node._plan.steps if node._plan is not None else ():
            layers = child_path(path, step.layers or step.name)
            found |= {child_path(layers, _standing(step.node, inner)) for inner in step.looks}
            found |= {layers} if step.layers else set()
            if len(step.reads) > 1 and not isinstance(step.node, Meeting):
                found |= {child_path(path, read.source) for read in step.reads}
        yield from ((path, name) for name in found)


def _standing(node: Node, path: str) -> str:
    """The path in a node at which the layers stand that make the value at a path: those that a `Run` runs."""
    name, _, rest = path.partition(".")
    child = find(node, name)
    own = child.layers if isinstance(child, Run) else name
    return f"{own}.{_standing(find(node, own), rest)}" if rest else own
