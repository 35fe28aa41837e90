"""Diagrams: as a value, as DOT and as Mermaid."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from command import call
from hypothesis import given
from hypothesis import strategies as st
from pictured import DEPTHS, any_network, graph_of, has_steps, report_of
from pygraphviz import AGraph

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    Cat,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dense,
    From,
    Gate,
    Join,
    MaxPool2d,
    ModuleList,
    Node,
    Outputs,
    ReLU,
    Residual,
    Run,
    Sequential,
    Sigmoid,
    Subtract,
    find,
)
from cnnzoo.arch.joins import ADD, CAT, MULTIPLY, SUBTRACT
from cnnzoo.arch.meetings import Meeting
from cnnzoo.arch.walker import Walker
from cnnzoo.calculate import calculate
from cnnzoo.features import draw
from cnnzoo.report import Report, Row
from cnnzoo.zoo import list_models

# The diagram


def check(graph: draw.Graph, report: Report) -> None:
    """All that holds of every diagram."""
    boxes = {box.id: box for box in graph.boxes}
    assert len(boxes) == len(graph.boxes)
    main = [box for box in graph.boxes if not box.aux]
    assert sum(box.params for box in main) == report.total_params
    assert sum(box.macs for box in main) == report.total_macs
    order = list(boxes)
    incoming: dict[str, list[draw.Edge]] = {}
    for edge in graph.edges:
        assert order.index(edge.source) < order.index(edge.target)
        assert edge.aux == boxes[edge.target].aux
        incoming.setdefault(edge.target, []).append(edge)
        made = output_of(boxes[edge.source], graph, report)
        entered = report.more_inputs if boxes[edge.source].role == "input" else ()
        one = [made[1:]] if any(row.regions for row in report.rows) else []  # of all regions, that of one
        assert edge.name or edge.shape in (made, *entered, *one)
    for box in graph.boxes:
        shapes = [edge.shape for edge in incoming.get(box.id, [])]
        if box.role == "input":
            assert not shapes
        elif box.role in ("add", "cat"):
            assert met(box, report).output_shape(tuple(shapes)) == step_of(box, report).output_shape
        elif box.role == "block":
            assert shapes[0] == report[box.paths[0]].input_shape
        elif len(shapes) > 1:
            assert step_of(box, report).kind in ("PadLike", "UpsampleLike", "RoIPool", "RoIPyramidPool", "Resize")
        else:
            assert len(shapes) == 1
            assert not box.paths or shapes == [report[box.paths[0]].input_shape]
    ends = {box.id for box in graph.boxes if not any(edge.source == box.id for edge in graph.edges)}
    outputs = {box.id for box in graph.boxes if box.role == "output"}
    assert outputs == ends if not has_steps(report.description) else outputs <= ends
    frames = {frame.id for frame in graph.frames}
    assert {one.frame for one in (*graph.boxes, *graph.frames)} - {None} <= frames


def step_of(box: draw.Box, report: Report) -> Row:
    """The row of values that meet."""
    rows = [row for row in report.rows if row.path == box.paths[0]]
    return next((row for row in rows if row.own), rows[0])


def met(box: draw.Box, report: Report) -> Meeting:
    """What becomes of the values that meet in a box."""
    node = find(report.description, box.paths[0])
    own = {"add": ADD, "cat": CAT, "mul": MULTIPLY, "sub": SUBTRACT}
    return own[step_of(box, report).kind] if isinstance(node, Join) else node


def output_of(box: draw.Box, graph: draw.Graph, report: Report) -> tuple[int, ...]:
    """By the report; a fork's is what it gets."""
    if box.role == "input":
        return report.input_size
    if box.role == "fork":
        source = next(edge.source for edge in graph.edges if edge.target == box.id)
        return output_of(next(one for one in graph.boxes if one.id == source), graph, report)
    if box.role in ("add", "cat") and len(box.paths) == 1:
        return step_of(box, report).output_shape
    return report[box.paths[-1]].output_shape


@pytest.mark.wide
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", list_models())
def test_costs_add_up_and_shapes_are_the_report_s(name, depth):
    graph = graph_of(name, depth)
    check(graph, report_of(name))
    assert sum(box.params for box in graph.boxes if box.aux) == report_of(name).aux_params


def test_a_gate_is_a_product():
    gate = Gate(pool=AdaptiveAvgPool2d(1), fc=Conv2d(8, 1), sigmoid=Sigmoid())
    report = calculate(Sequential(Conv2d(8, 1), gate), (3, 8, 8))
    for depth in DEPTHS:
        check(draw.diagram(report, depth), report)
    assert [box.name for box in draw.diagram(report, 9).boxes if box.role == "add"] == ["×"]


@given(any_network(), st.integers(1, 5))
def test_so_they_do_in_any_network(network, depth):
    _, report = network
    check(draw.diagram(report, depth), report)


def inside(box: draw.Box, report: Report) -> set[tuple[str, bool]]:
    """The rows of a box, by path and whether they are a block's own."""
    if box.role != "block":
        return {(path, row.own) for path in box.paths for row in [step_of_path(path, box, report)]}
    return {(row.path, row.own) for row in report.rows if f"{row.path}.".startswith(f"{box.paths[0]}.")}


def step_of_path(path: str, box: draw.Box, report: Report) -> Row:
    return step_of(box._replace(paths=(path,)), report)


@given(any_network())
def test_opened_all_the_way_every_row_is_in_one_box(network):
    """What runs again is a closed box: each of its rows is there once more."""
    _, report = network
    graph = draw.diagram(report, 99)
    times = {None: 1}
    for frame in graph.frames:
        times[frame.id] = times[frame.frame] * frame.times
    assert sum(len(inside(box, report)) * box.times * times[box.frame] for box in graph.boxes) == len(report.rows)
    assert sum(box.params for box in graph.boxes if box.aux) == report.aux_params


class Upstream(Walker[frozenset]):
    """What each value is made of, as the paths of layers."""

    def layer(self, layer, x):
        return x | {self.path}

    def meeting(self, meeting, parts, own):
        return frozenset().union(*parts, {self.path})


@given(any_network())
def test_an_output_is_made_of_what_leads_to_it(network):
    description, report = network
    graph = draw.diagram(report, 99)
    if any(one.times > 1 for one in (*graph.boxes, *graph.frames)):
        return
    behind: dict[str, frozenset] = {}
    for box in graph.boxes:
        own = {path for path, _ in inside(box, report)} if box.paths else ()
        sources = [behind[edge.source] for edge in graph.edges if edge.target == box.id]
        behind[box.id] = frozenset().union(*sources, own)
    (output,) = (box for box in graph.boxes if box.name == "output")
    made = Upstream().run("", description, frozenset())
    closed = {path for box in graph.boxes if box.role == "block" for path, _ in inside(box, report)}
    assert made <= behind[output.id]
    assert behind[output.id] - closed == made - closed  # of what runs again, and is closed, a part may be read


def wires(description: Node, size: tuple[int, ...], depth: int = 9) -> list[tuple[str, str]]:
    """The edges by the names of their ends; a fork is "."."""
    graph = draw.diagram(calculate(description, size), depth)
    names = {box.id: box.name or "." for box in graph.boxes}
    return [(names[edge.source], names[edge.target]) for edge in graph.edges]


def test_branches_meet():
    net = Sequential(a=Conv2d(4, 3), both=Concat(left=Conv2d(2, 1), right=Sequential(b=Conv2d(3, 1), c=Conv2d(5, 1))))
    ends = [("input", "a"), ("a", "."), (".", "left"), (".", "b"), ("b", "c"), ("left", "concat"), ("c", "concat")]
    assert sorted(wires(net, (3, 8, 8))) == sorted([*ends, ("concat", "output")])


def test_a_shortcut_goes_around():
    net = Sequential(res=Residual(a=Conv2d(4, 1), b=Conv2d(3, 1)), end=Conv2d(1, 1))
    assert wires(net, (3, 8, 8)) == [
        *(("input", "."), (".", "a"), ("a", "b"), ("b", "+"), (".", "+")),
        *(("+", "end"), ("end", "output")),
    ]


def test_a_shortcut_of_its_own_is_a_branch():
    net = Residual(a=Conv2d(4, 1), downsample=Conv2d(4, 1))
    assert wires(net, (3, 8, 8)) == [
        *(("input", "."), (".", "a"), (".", "downsample"), ("a", "+"), ("downsample", "+"), ("+", "output"))
    ]


def test_a_dense_layer_is_appended():
    net = Dense(a=Conv2d(4, 1))
    assert wires(net, (3, 8, 8)) == [("input", "."), (".", "a"), (".", "concat"), ("a", "concat"), ("concat", "output")]


def test_a_head_hangs_beside():
    net = Sequential(a=Conv2d(4, 1), b=Conv2d(5, 1), head=Aux("a", c=Conv2d(1, 1)), d=Conv2d(2, 1))
    graph = draw.diagram(calculate(net, (3, 8, 8)), 9)
    names = {box.id: box.name for box in graph.boxes}
    aux = [(names[edge.source], names[edge.target]) for edge in graph.edges if edge.aux]
    assert aux == [("a", "c"), ("c", "output in training")]
    assert [frame.aux for frame in graph.frames] == [True]


def test_slight_layers_are_stacked_but_not_where_another_reads_what_is_below():
    net = Sequential(a=Conv2d(4, 1), relu=ReLU(), b=Conv2d(4, 1), head=Aux("b", c=Conv2d(1, 1)), late=ReLU())
    graph = draw.diagram(calculate(net, (3, 8, 8)), 9)
    stacks = [box.paths for box in graph.boxes if box.paths]
    assert stacks == [("a", "relu"), ("b",), ("head.c",), ("late",)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_equal_neighbours_are_folded(count):
    block = Residual(a=Conv2d(3, 1), relu=ReLU(), b=Conv2d(3, 1))
    net = Sequential(blocks=Sequential(*[block] * count), end=Conv2d(1, 1))
    report = calculate(net, (3, 8, 8))
    for depth in (2, 3):
        graph = draw.diagram(report, depth)
        folded = [one for one in (*graph.boxes, *graph.frames) if one.times > 1]
        assert [one.times for one in folded] == ([count] if count > 1 else [])
        assert all(one.name == f"0-{count - 1}" for one in folded)
        check(graph, report)


def test_equal_branches_are_not():
    assert wires(Concat(Conv2d(2, 1), Conv2d(2, 1)), (3, 8, 8)).count((".", "0")) == 1


# Steps


def conv(channels: int, **settings) -> Sequential:
    return Sequential(conv=Conv2d(channels, 3, padding=1, **settings), relu=ReLU())


def up(channels: int) -> Sequential:
    return Sequential(
        up=From("input.0", ConvTranspose2d(channels, 2, stride=2)),
        skip=Cat("input.1", "up"),
        conv=Conv2d(channels, 3, padding=1),
    )


U_NET = Sequential(
    encoder=Sequential(one=conv(4), pool=MaxPool2d(2), two=conv(6), pool2=MaxPool2d(2), three=conv(8)),
    decoder=From(
        "encoder",
        "encoder.two",
        "encoder.one",
        Sequential(a=From("input.0", "input.1", up(6)), b=From("a", "input.2", up(4))),
    ),
    head=Conv2d(2, 1),
)


def test_skips_come_from_within_what_is_opened():
    ends = [
        *(("one", "pool"), ("pool", "two"), ("two", "pool2"), ("pool2", "three")),
        *(("three", "a"), ("two", "a"), ("a", "b"), ("one", "b"), ("b", "head")),
    ]
    assert sorted(wires(U_NET, (3, 16, 16), 2)) == sorted([("input", "one"), *ends, ("head", "output")])
    graph = draw.diagram(calculate(U_NET, (3, 16, 16)), 3)
    concats = {box.id: box for box in graph.boxes if box.role == "cat"}
    assert [box.name for box in concats.values()] == ["skip", "skip"]
    into = [edge.shape for edge in graph.edges if edge.target in concats]
    assert into == [(6, 8, 8), (6, 8, 8), (4, 16, 16), (4, 16, 16)]


def test_a_closed_block_says_which_of_its_values_an_arrow_is():
    graph = draw.diagram(calculate(U_NET, (3, 16, 16)), 1)
    assert [(edge.name, edge.shape) for edge in graph.edges] == [
        *(("", (3, 16, 16)), ("", (8, 4, 4)), ("two", (6, 8, 8)), ("one", (4, 16, 16))),
        *(("", (4, 16, 16)), ("", (2, 16, 16))),
    ]
    assert 'label=" two 6×8×8 "' in draw.to_dot(graph)
    assert '|"two 6×8×8"|' in draw.to_mermaid(graph)


def test_inputs_and_outputs_have_boxes_of_their_own():
    tower = Sequential(conv=Conv2d(4, 3, padding=1), pool=MaxPool2d(2))
    net = Sequential(a=From("input.0", tower), b=Run("a", "input.1"), c=Subtract("a", "b"), d=Outputs("c", "b"))
    report = calculate(net, ((3, 8, 8), (3, 8, 8)), model="pair")
    graph = draw.diagram(report, 9)
    names = {box.id: box.name for box in graph.boxes}
    assert [(names[edge.source], names[edge.target]) for edge in graph.edges] == [
        *(("input.0", "conv"), ("conv", "pool"), ("input.1", "b"), ("pool", "c"), ("b", "c")),
        *(("c", "output.c"), ("b", "output.b")),
    ]
    again = next(box for box in graph.boxes if box.name == "b")
    assert (again.layers, again.params, again.macs) == ("a", 0, report["a"].macs // 2)
    assert sum(box.params for box in graph.boxes) == report.total_params
    assert ("−",) in [box.lines for box in graph.boxes]
    check_dot(graph)
    check_mermaid(graph)
    assert "input 3×8×8 and 3×8×8" in draw.to_mermaid(graph)
    assert "b #61; a" in draw.to_mermaid(graph)
    assert "<b>b</b> = a" in draw.to_dot(graph)


def test_blocks_that_hand_on_several_values_are_folded():
    """Where one reads all that the one before gives, and nothing else does."""
    unit = Sequential(
        held=ModuleList(Conv2d(2, 1)),
        a=From("input.0", Conv2d(2, 1)),
        b=Run("held.0", "input.1"),
        sum=Add("a", "b"),
        out=Outputs("a", "sum"),
    )
    start = {"x": Conv2d(2, 1), "y": From("input", Conv2d(2, 1)), "u": From("x", "y", unit)}
    net = Sequential(**start, v=unit, w=unit, end=From("w.sum", Conv2d(1, 1)))
    for depth in (1, 9):
        report = calculate(net, (3, 4, 4))
        graph = draw.diagram(report, depth)
        assert [one.times for one in (*graph.boxes, *graph.frames) if one.times > 1] == [3]
        check(graph, report)
    assert [(box.name, box.layers) for box in graph.boxes if box.layers] == [("b", "held.0")]
    beside = Sequential(**start, v=unit, w=From("v.sum", "v.a", unit), end=From("w.sum", Conv2d(1, 1)))
    graph = draw.diagram(calculate(beside, (3, 4, 4)), 1)
    assert [box.name for box in graph.boxes if box.times > 1] == ["u-v"]
    read = Sequential(**start, v=unit, w=From("u.a", Conv2d(1, 1)), end=Cat("v.a", "w"))
    assert not any(box.times > 1 for box in draw.diagram(calculate(read, (3, 4, 4)), 1).boxes)


def test_layers_that_run_again_and_again_are_folded():
    net = Sequential(a=Sequential(Conv2d(3, 1), ReLU()), b=Run("a"), c=Run("a"), d=Conv2d(1, 1))
    graph = draw.diagram(calculate(net, (3, 4, 4)), 1)
    assert [(box.name, box.layers, box.times, box.params) for box in graph.boxes[1:-1]] == [
        *(("a", "", 1, 12), ("b-c", "a", 2, 0), ("d", "", 1, 4)),
    ]


def test_layers_are_not_stacked_where_what_is_below_is_read_outside():
    net = Sequential(a=conv(3), b=From("a.conv", Conv2d(3, 1)), c=Add("a", "b"))
    assert wires(net, (3, 8, 8)) == [
        *(("input", "conv"), ("conv", "relu"), ("conv", "b"), ("relu", "c"), ("b", "c"), ("c", "output")),
    ]


def test_an_empty_block_hands_on_what_enters():
    turn = Sequential(out=Outputs("input.1", "input.0"))
    net = Sequential(
        a=Conv2d(2, 1), b=Conv2d(3, 1), t=From("a", "b", turn), c=From("t.0", Conv2d(1, 1)), d=Cat("c", "t.1")
    )
    assert wires(net, (3, 4, 4)) == [("input", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("d", "output")]


# As text


def exact(tooltip: str) -> tuple[int, int]:
    return tuple(int(re.search(rf"(\d+) {unit}", tooltip)[1]) for unit in ("parameters", "MACs"))


def check_dot(graph: draw.Graph) -> None:
    """Graphviz reads from the text what the graph says."""
    read = AGraph(string=draw.to_dot(graph))
    boxes = [box for box in graph.boxes if box.role != "fork"]
    assert {str(node) for node in read.nodes()} == {box.id for box in graph.boxes}
    assert all(exact(read.get_node(box.id).attr["tooltip"]) == (box.params, box.macs) for box in boxes)
    shown = Counter((edge[0], edge[1], edge.attr["label"].strip()) for edge in read.edges())
    said = Counter(
        (edge.source, edge.target, "" if edge.source in graph.forks else said_on(edge)) for edge in graph.edges
    )
    assert shown == said
    parents = {frame.id: frame.frame for frame in graph.frames}
    held: dict[str, set[str]] = {frame: set() for frame in parents}
    for box in graph.boxes:
        frame = box.frame
        while frame is not None:
            held[frame].add(box.id)
            frame = parents[frame]
    assert held == {cluster.name.removeprefix("cluster_"): set(map(str, cluster.nodes())) for cluster in clusters(read)}


def said_on(edge: draw.Edge) -> str:
    return f"{edge.name} {'×'.join(map(str, edge.shape))}".strip()


def clusters(graph: AGraph) -> Iterator[AGraph]:
    for inner in graph.subgraphs():
        if inner.name == "inputs":  # side by side, in no frame
            continue
        yield inner
        yield from clusters(inner)


LABEL = r'"((?:[\w ,·×/.-]|#\d+;|<br/>)+)"'
BOX = re.compile(rf"(n\d+)(?:\(\[{LABEL}\]\)|\(\({LABEL}\)\)|\[{LABEL}\]):::(\w+)")
EDGE = re.compile(rf"(n\d+) (-->|-\.->)(?:\|{LABEL}\|)? (n\d+)")
SUBGRAPH = re.compile(rf"subgraph (f\d+)\[{LABEL}\]")
STYLE = re.compile(r"classDef \w+ [\w:#, -]+|class [\w,]+ (?:frame|aux)")


def check_mermaid(graph: draw.Graph) -> None:
    """A reader that knows only these five statements finds the graph in the text."""
    text = draw.to_mermaid(graph)
    _, front, body = text.split("---\n", 2)
    assert front.startswith('title: "')
    lines = [line.strip() for line in body.splitlines()]
    assert lines.pop(0) == "flowchart TD"
    boxes, edges, frames, open_ = {}, Counter(), [], []
    for line in lines:
        if found := BOX.fullmatch(line):
            ident, *labels, role = found.groups()
            boxes[ident] = (role, plain("".join(filter(None, labels))), open_[-1] if open_ else None)
        elif found := EDGE.fullmatch(line):
            source, arrow, label, target = found.groups()
            edges[source, target, label or "", arrow == "-.->"] += 1
        elif found := SUBGRAPH.fullmatch(line):
            frames.append((found[1], plain(found[2])[0]))
            open_.append(found[1])
        elif line == "end":
            open_.pop()
        else:
            assert STYLE.fullmatch(line), line
    assert not open_
    assert dict(frames) == {frame.id: frame_name(frame) for frame in graph.frames}
    assert {ident: (role, frame) for ident, (role, _, frame) in boxes.items()} == {
        box.id: (box.role, box.frame) for box in graph.boxes
    }
    for box in graph.boxes:
        lines = boxes[box.id][1]
        assert lines[0].startswith(box.name or " ")
        assert lines[1 : 1 + len(box.lines)] == list(box.lines)
    said = Counter()
    for edge in graph.edges:
        label = "" if edge.source in graph.forks else said_on(edge)
        said[edge.source, edge.target, label, edge.aux] += 1
    assert edges == said


def frame_name(frame: draw.Frame) -> str:
    kind = "" if frame.kind == "Sequential" else f" {frame.kind}"
    name = f"{frame.name} = {frame.layers}" if frame.layers else frame.name
    return f"{name} ×{frame.times}{kind}" if frame.times > 1 else f"{name}{kind}"


def plain(label: str) -> list[str]:
    return [re.sub(r"#(\d+);", lambda number: chr(int(number[1])), line) for line in label.split("<br/>")]


@pytest.mark.wide
@pytest.mark.parametrize("depth", DEPTHS[:3])
@pytest.mark.parametrize("name", list_models())
def test_the_texts_say_what_the_graph_says(name, depth):
    check_dot(graph_of(name, depth))
    check_mermaid(graph_of(name, depth))


@given(any_network(), st.integers(1, 4))
def test_so_they_do_of_any_network(network, depth):
    graph = draw.diagram(network[1], depth)
    check_dot(graph)
    check_mermaid(graph)


def test_what_mermaid_does_not_draw_is_said():
    with pytest.warns(UserWarning, match="edges, of 500 that Mermaid draws"):
        draw.to_mermaid(graph_of("densenet264", 9))
    result = call("draw", "densenet264", "--depth", "9")
    assert result.code == 0
    assert re.fullmatch(
        "Warning: .* edges, of 500 that Mermaid draws and .*: open fewer levels of blocks\n", result.err
    )
