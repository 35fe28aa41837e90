"""Loading is all or nothing: every tensor arrives bit for bit, or the network is as it was and one message says why."""

import io
import json
import os
import pickle
import urllib.error
from collections import OrderedDict
from hashlib import sha256

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from small import takes_classes
from torch import nn

from cnnzoo import get_builder, list_models, summary
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.checkpoints import load_checkpoint, load_pretrained
from cnnzoo.weights.headers import CheckpointError, read_header
from cnnzoo.weights.published import PUBLISHED, Published, published

SMALL = [name for name in list_models() if get_builder(name).pinned.params < 15e6]
LARGE = [name for name in list_models() if name not in SMALL]
WRITERS = {
    "safetensors": lambda state, path: save_file(state, path),
    "zip": torch.save,
    "pickle": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Hundreds of small copies: threads that wait for each other take ten times as long on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def create(name, in_chans=None, **settings):
    """A registered network with other values each time."""
    builder = get_builder(name)
    channels, *size = builder.input_size
    net = build(builder.describe(**settings), (in_chans or channels, *size), init=None)
    return refill(net)


def refill(net):
    for value in net.state_dict().values():
        value.copy_(torch.rand(value.shape) * 100)
    return net


def tiny():
    return refill(nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 2, 1), bn=nn.BatchNorm2d(2), fc=nn.Linear(2, 4))))


def copied(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(net, state):
    own = net.state_dict()
    return own.keys() == state.keys() and all(torch.equal(value, state[name]) for name, value in own.items())


def refused(net, path, match, **settings):
    """It raises CheckpointError with such a message, and changes nothing."""
    before = copied(net)
    with pytest.raises(CheckpointError, match=match) as caught:
        load_checkpoint(net, path, **settings)
    assert same(net, before)
    return str(caught.value)


def round_trip(name, path, writer):
    net, other = create(name), create(name)
    WRITERS[writer](net.state_dict(), path)
    done = load_checkpoint(other, path)
    assert same(other, copied(net))
    assert done.loaded == tuple(net.state_dict())
    assert (done.dropped, done.kept, done.notes) == ((), (), ())
    path.unlink()


@pytest.mark.wide
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", SMALL)
def test_every_tensor_arrives_bit_for_bit(name, writer, tmp_path):
    round_trip(name, tmp_path / "file", writer)


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
def test_every_tensor_of_a_large_network_arrives(name, tmp_path):
    for writer in WRITERS:
        round_trip(name, tmp_path / "file", writer)


@pytest.mark.parametrize(
    ("writer", "dtype"),
    [
        *[(writer, dtype) for writer in WRITERS for dtype in (torch.float16, torch.bfloat16, torch.float64)],
        *[(writer, torch.float8_e4m3fn) for writer in WRITERS if writer != "pickle"],  # torch cannot read that itself
    ],
)
def test_values_are_cast_to_the_networks_dtype(writer, dtype, tmp_path):
    net, path = tiny(), tmp_path / "file"
    state = {name: v.to(dtype) if v.is_floating_point() else v for name, v in tiny().state_dict().items()}
    WRITERS[writer](state, path)
    load_checkpoint(net, path)
    assert net.fc.weight.dtype == torch.float32
    assert same(net, {name: value.to(net.state_dict()[name].dtype) for name, value in state.items()})


def test_integers_do_not_become_weights(tmp_path):
    save_file({**tiny().state_dict(), "fc.bias": torch.ones(4, dtype=torch.int8)}, tmp_path / "file")
    refused(tiny(), tmp_path / "file", "fc.bias is int8 in the file, float32 in the network")


def test_parameters_stay_the_same_objects_and_trainable(tmp_path):
    net = tiny()
    torch.save(tiny().state_dict(), tmp_path / "file")
    before = list(net.parameters())
    load_checkpoint(net, tmp_path / "file")
    assert all(one is other and one.requires_grad for one, other in zip(before, net.parameters(), strict=True))
    os.unlink(tmp_path / "file")
    net.fc.weight.sum().backward()


class TestWhatDiffersIsToldTensorByTensor:
    def test_with_both_shapes(self, tmp_path):
        state = copied(tiny())
        state["fc.weight"], state["more"] = torch.ones(4, 3), torch.ones(1)
        del state["conv.bias"]
        save_file(state, tmp_path / "file")
        message = refused(tiny(), tmp_path / "file", "does not fit the network; nothing was loaded")
        assert "\n  fc.weight: (4, 3) in the file, (4, 2) in the network" in message
        assert "\n  conv.bias: missing in the file, (2,) in the network" in message
        assert "\n  more: unexpected, (1,) in the file" in message

    def test_up_to_a_dozen(self, tmp_path):
        save_file(create("resnet18").state_dict(), tmp_path / "file")
        message = refused(create("resnet34"), tmp_path / "file", "and 84 more\n.*use `resnet18`")
        assert len(message.splitlines()) == 1 + 12 + 1 + 1

    def test_torchvisions_network_of_the_same_name(self, tmp_path):
        save_file(create("googlenet_tv").state_dict(), tmp_path / "file")
        refused(create("googlenet"), tmp_path / "file", "this is torchvision's GoogLeNet: use `googlenet_tv`")

    def test_auxiliary_heads(self, tmp_path):
        save_file(create("googlenet_tv", aux_logits=False).state_dict(), tmp_path / "file")
        refused(create("googlenet_tv"), tmp_path / "file", r"the file is of `googlenet_tv\(aux_logits=False\)`")

    def test_the_number_of_classes_and_of_channels(self, tmp_path):
        save_file(create("lenet5", in_chans=3, num_classes=7).state_dict(), tmp_path / "file")
        refused(create("lenet5"), tmp_path / "file", "has 7 classes, the network's 10: pass drop_head=True")
        net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1))
        save_file({**net.state_dict(), "1.weight": torch.ones(4, 3, 1, 1)}, tmp_path / "file")
        refused(net, tmp_path / "file", "reads 3 channels, the network's 4")

    def test_a_network_that_was_changed(self, tmp_path):
        net = create("resnet18")
        net.conv1 = nn.Conv2d(3, 64, 3, bias=False)
        save_file(create("resnet18").state_dict(), tmp_path / "file")
        refused(net, tmp_path / "file", "the file fits `resnet18`; the network is another, or was changed")

    def test_something_else(self, tmp_path):
        save_file({"embedding": torch.ones(3)}, tmp_path / "file")
        refused(tiny(), tmp_path / "file", "a checkpoint of something else")

    def test_the_meta_device(self, tmp_path):
        save_file(tiny().state_dict(), tmp_path / "file")
        with pytest.raises(CheckpointError, match="meta device"):
            load_checkpoint(tiny().to("meta"), tmp_path / "file")


class TestDropHead:
    @pytest.mark.wide
    @pytest.mark.parametrize("name", [*filter(takes_classes, SMALL)])
    def test_leaves_out_what_the_number_of_classes_decides_and_says_so(self, name, tmp_path):
        file, net = create(name), create(name, num_classes=7)
        save_file(file.state_dict(), tmp_path / "file")
        refused(net, tmp_path / "file", "classes, the network's 7: pass drop_head=True")
        before, after = copied(net), copied(file)
        done = load_checkpoint(net, tmp_path / "file", drop_head=True)
        head = {tensor for tensor, value in after.items() if value.shape != before[tensor].shape}
        assert set(done.dropped) == set(done.kept) == head
        assert head
        assert all(one in str(done) for one in head)
        assert same(net, {**after, **{tensor: before[tensor] for tensor in head}})

    def test_drops_nothing_where_nothing_differs(self, tmp_path):
        save_file(tiny().state_dict(), tmp_path / "file")
        assert load_checkpoint(tiny(), tmp_path / "file", drop_head=True).dropped == ()

    @pytest.mark.parametrize(("with_heads", "without"), [("file", "net"), ("net", "file")])
    def test_auxiliary_heads_that_one_side_lacks(self, with_heads, without, tmp_path):
        nets = {with_heads: create("googlenet_tv"), without: create("googlenet_tv", aux_logits=False)}
        save_file(nets["file"].state_dict(), tmp_path / "file")
        done = load_checkpoint(nets["net"], tmp_path / "file", drop_head=True)
        heads = nets[with_heads].state_dict().keys() - nets[without].state_dict().keys()
        assert set(done.dropped) == (heads if with_heads == "file" else set())
        assert set(done.kept) == (heads if with_heads == "net" else set())

    def test_a_network_without_classifier(self, tmp_path):
        file, net = create("resnet18"), create("resnet18")
        net.fc = nn.Identity()
        torch.save(file.state_dict(), tmp_path / "file")
        refused(net, tmp_path / "file", "fc.weight: unexpected")
        assert load_checkpoint(net, tmp_path / "file", drop_head=True).dropped == ("fc.weight", "fc.bias")

    def test_is_no_licence_for_other_differences(self, tmp_path):
        save_file({**tiny().state_dict(), "conv.weight": torch.ones(2, 3, 2, 2)}, tmp_path / "file")
        refused(tiny(), tmp_path / "file", "conv.weight", drop_head=True)
        save_file({**tiny().state_dict(), "fc.more": torch.ones(2)}, tmp_path / "file")
        refused(tiny(), tmp_path / "file", "fc.more: unexpected", drop_head=True)


class TestNamesAreReadAsTheyAreMeant:
    @pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "backbone."])
    def test_a_prefix_that_all_share(self, prefix, tmp_path):
        file, net = tiny(), tiny()
        save_file({prefix + name: value for name, value in file.state_dict().items()}, tmp_path / "file")
        done = load_checkpoint(net, tmp_path / "file")
        assert prefix in done.notes[0]
        assert same(net, copied(file))

    def test_not_a_prefix_that_the_network_has_too(self, tmp_path):
        file, net = nn.Sequential(tiny()), nn.Sequential(tiny())
        save_file(file.state_dict(), tmp_path / "file")
        assert load_checkpoint(net, tmp_path / "file").notes == ()
        assert same(net, copied(file))

    @pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
    def test_a_state_dict_beside_other_things(self, key, tmp_path):
        file, net = tiny(), tiny()
        torch.save({key: file.state_dict(), "epoch": 3, "optimizer": {"lr": [0.1], "on": None}}, tmp_path / "file")
        assert load_checkpoint(net, tmp_path / "file").notes == (f"the tensors were under {key!r}",)
        assert same(net, copied(file))

    def test_torchvisions_old_densenets(self, tmp_path):
        """Dotted names, no counters, pickled as torch did it before 0.4.1."""
        file, net = create("densenet121"), create("densenet121")
        old = OrderedDict()
        for name, value in file.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                for one in ("norm1", "norm2", "conv1", "conv2") if "denselayer" in name else ():
                    name = name.replace(f".{one}.", f".{one[:4]}.{one[4]}.")
                old[name] = value
        assert "features.denseblock1.denselayer1.norm.1.running_mean" in old
        torch.save(old, tmp_path / "file", _use_new_zipfile_serialization=False)
        done = load_checkpoint(net, tmp_path / "file")
        assert "norm.1" in done.notes[0]
        assert done.notes[1] == "it has no num_batches_tracked: they start at 0"
        assert done.kept == ()
        assert all(count == 0 for name, count in net.state_dict().items() if name.endswith("num_batches_tracked"))
        assert same(net, {**copied(net), **{name: file.state_dict()[name] for name in done.loaded}})

    def test_only_all_counters_may_be_missing(self, tmp_path):
        state = copied(create("lenet5_modern")) | {"a.num_batches_tracked": torch.tensor(0)}
        save_file(state, tmp_path / "file")
        refused(create("lenet5_modern"), tmp_path / "file", "a.num_batches_tracked: unexpected")


class TestPicklesThatWouldRunCode:
    class Evil:
        def __init__(self, marker):
            self.marker = marker

        def __reduce__(self):
            return (os.mkdir, (str(self.marker),))

    @pytest.mark.parametrize("writer", ["zip", "pickle"])
    @pytest.mark.parametrize("key", ["fc.weight", "epoch"])
    def test_run_none(self, writer, key, tmp_path):
        marker, path = tmp_path / "marker", tmp_path / "file"
        WRITERS[writer]({**tiny().state_dict(), key: self.Evil(marker)}, path)
        refused(tiny(), path, r"its pickle calls '\w+.mkdir'.*could run any code; .* as safetensors")
        assert not marker.exists()

    def test_not_a_bare_pickle_either(self, tmp_path):
        (tmp_path / "file").write_bytes(pickle.dumps(self.Evil(tmp_path / "marker")))
        refused(tiny(), tmp_path / "file", "its pickle calls")
        assert not (tmp_path / "marker").exists()

    @pytest.mark.parametrize(
        "pickled",
        [
            b"cbuiltins\neval\n(S'1'\ntR.",
            b"ctorch\nSize\n}(S'__code__'\nNtbS'x'\n.",
            b"ccollections\nOrderedDict\n}S'__setstate__'\nNs}S'items'\nNs\x86b.",
            b"ccollections\nOrderedDict\n)R}S'items'\nNsb.",
            b"ctorch._utils\n_rebuild_tensor_v2\n)R.",
            b"ctorch\nFloatStorage\n}S'dtype'\nNsb.",
            b"(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI-1\ntQ.",
            b"\x82\x01.",
            b"r\xff\xff\xff\x7f.",
            b"}}}" * 1000 + b".",
            b"(" * 100_000 + b"t" * 100_000 + b".",
        ],
    )
    def test_odd_ones_are_one_message(self, pickled, tmp_path):
        magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
        (tmp_path / "file").write_bytes(magic + b"\x80\x02" + pickled + pickle.dumps([], 2))
        refused(tiny(), tmp_path / "file", "file ")

    def test_whole_models_are_refused(self, tmp_path):
        torch.save(tiny(), tmp_path / "file")
        refused(
            tiny(),
            tmp_path / "file",
            "holds torch.nn.modules.container.Sequential, not a state dict .*; save its state_dict",
        )


class TestNoCheckpoints:
    @pytest.mark.parametrize(
        ("contents", "match"),
        [
            (b"", "is empty"),
            (b"hello, world", "is no checkpoint: neither"),
            (b"PK\x03\x04" + bytes(40), "is truncated or damaged"),
            (pickle.dumps({"a": 1}), "is a pickle, but no checkpoint"),
            (save({})[:8] + b"{}", "holds no tensors|is truncated"),
        ],
    )
    def test_other_contents(self, contents, match, tmp_path):
        (tmp_path / "file").write_bytes(contents)
        refused(tiny(), tmp_path / "file", match)

    def test_other_paths(self, tmp_path):
        refused(tiny(), tmp_path, "is a directory")
        refused(tiny(), tmp_path / "none", "does not exist")
        refused(tiny(), tmp_path / ("n" * 400), "cannot be read")

    @pytest.mark.parametrize(
        ("value", "match"),
        [
            ([1, 2], "holds something of type list"),
            (torch.ones(3), "holds a tensor"),
            ({}, "holds no tensors"),
            ({"a": torch.ones(1), "b": 3}, "does not fit the network; nothing was loaded"),
            ({"epoch": 3}, "holds no tensors: 'epoch' is something of type int"),
            ({3: torch.ones(1)}, "holds no tensors under names: one of its keys is int"),
            ({"state_dict": {"a": None}}, "holds no tensors: 'a' is something of type NoneType"),
            ({"epoch": 3, "model": tiny()}, "'model' is torch.nn.modules.container.Sequential; save its state_dict"),
        ],
    )
    @pytest.mark.parametrize("writer", ["zip", "pickle"])
    def test_other_values(self, value, match, writer, tmp_path):
        WRITERS[writer](value, tmp_path / "file")
        refused(tiny(), tmp_path / "file", match)


def header(entries, data=b"", length=None):
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(start=0, stop=4, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("contents", "match"),
    [
        (b"1234", "is truncated"),
        (header({}, length=2**63), "its header would be"),
        (header({}, length=10**6), "is truncated: its header is 1000000 bytes, and 2 are there"),
        (header({"__metadata__": {"a": "b"}}), "holds no tensors"),
        (header(b"[]"), "not a JSON object"),
        (header(b"{'a'}"), "its header is not JSON"),
        (header(b'{"\xff"}'), "its header is not JSON"),
        (header(b"[" * 200_000), "its header is not JSON"),
        (header(b'{"a": ' + b"9" * 5000 + b"}"), "its header is not JSON"),
        (header(b'{"a": {}, "a": {}}'), "a name is there twice"),
        (header({"a": entry()}), "is truncated: its tensors take 4 bytes, and 0 follow"),
        (header({"a": entry()}, bytes(5)), "damaged header: its tensors take 4 bytes, and 5 follow"),
        (header({"a": entry(), "b": entry(2, 6)}, bytes(6)), "the data of 'b' overlaps that of 'a'"),
        (header({"a": entry(), "b": entry()}, bytes(4)), "the data of 'b' overlaps that of 'a'"),
        (header({"a": entry(), "b": entry(8, 12)}, bytes(12)), "the data of 'b' leaves a gap after that of 'a'"),
        (header({"a": entry(4, 8)}, bytes(8)), "the data of 'a' leaves a gap after the header"),
        (header({"a": entry(shape=(2,))}, bytes(4)), r"\(2,\) of F32, takes 8 bytes, and its data_offsets say 4"),
        (header({"a": entry(shape=(-1, -1))}, bytes(4)), "'a' lacks a sound"),
        (header({"a": entry(4, 0)}, bytes(4)), "damaged header"),
        (header({"a": entry(stop=True)}, bytes(4)), "'a' lacks a sound"),
        (header({"a": 3}, bytes(4)), "'a' lacks a sound"),
        (header({"a": entry(dtype="F4")}, bytes(4)), "is of dtype 'F4'"),
    ],
)
def test_safetensors_headers_are_held_to_the_format(contents, match, tmp_path):
    path = tmp_path / "file.safetensors"
    path.write_bytes(contents)
    assert "\n" not in refused(tiny(), path, match)


STATE = {name: value.clone() for name, value in tiny().state_dict().items()}
FILES = {"safetensors": save(STATE)}
for _writer in ("zip", "pickle"):
    _buffer = io.BytesIO()
    WRITERS[_writer](STATE, _buffer)
    FILES[_writer] = _buffer.getvalue()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


def test_a_safetensors_file_cut_at_each_byte_is_one_message(scratch):
    net, path = tiny(), scratch / "cut.safetensors"
    for cut in range(len(FILES["safetensors"])):
        path.write_bytes(FILES["safetensors"][:cut])
        assert "\n" not in refused(net, path, "truncated|is empty")


@pytest.mark.parametrize("writer", ["zip", "pickle"])
@given(data=st.data())
def test_a_file_cut_anywhere_is_one_message(writer, scratch, data):
    cut = data.draw(st.integers(0, len(FILES[writer]) - 1))
    path = scratch / f"file.{writer}"
    path.write_bytes(FILES[writer][:cut])
    refused(tiny(), path, "file")


@pytest.mark.parametrize("writer", FILES)
@given(data=st.data())
def test_a_file_with_other_bytes_is_one_message_or_loads(writer, scratch, data):
    damaged = bytearray(FILES[writer])
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    path, net = scratch / f"file.{writer}", tiny()
    path.write_bytes(damaged)
    before = copied(net)
    try:
        load_checkpoint(net, path)
    except CheckpointError:
        assert same(net, before)


DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool]


@pytest.mark.parametrize("writer", WRITERS)
@given(
    state=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: name != "__metadata__"),
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 4), max_size=4)),
        min_size=1,
        max_size=5,
    )
)
def test_the_header_says_what_is_in_the_file(writer, scratch, state):
    path = scratch / "any.file"
    WRITERS[writer]({name: torch.zeros(shape, dtype=dtype) for name, (dtype, shape) in state.items()}, path)
    assert {name: (one.shape, one.dtype) for name, one in read_header(path).dicts[""].items()} == {
        name: (tuple(shape), str(dtype).removeprefix("torch.")) for name, (dtype, shape) in state.items()
    }


class TestPretrained:
    def test_every_published_file_is_of_a_registered_network_of_1000_classes(self):
        for name, weights in PUBLISHED.items():
            assert published(name) is weights
            assert int(weights.sha256, 16) >= 0
            assert len(weights.sha256) in (8, 10)
            assert weights.url.startswith("https://download.pytorch.org/models/")
            assert summary(name).rows[-1].output_shape == (1000,)

    @pytest.mark.parametrize("name", [name for name in list_models() if name not in PUBLISHED])
    def test_networks_without_are_told_so(self, name):
        net = tiny()
        with pytest.raises(CheckpointError, match=f"no weights are published for `{name}`") as caught:
            load_pretrained(net, name, True)
        sibling = {"alexnet": "alexnet_tv", "googlenet": "googlenet_tv", "resnet50_v1": "resnet50"}.get(name, "")
        assert sibling in str(caught.value)

    def test_a_path(self, tmp_path):
        file, net = create("lenet5"), create("lenet5")
        save_file(file.state_dict(), tmp_path / "file")
        load_pretrained(net, "lenet5", tmp_path / "file")
        assert same(net, copied(file))

    @pytest.mark.parametrize("nothing", [None, False])
    def test_nothing(self, nothing):
        net = tiny()
        before = copied(net)
        assert load_pretrained(net, "resnet50", nothing) is None
        assert same(net, before)

    def test_offline_is_one_line_with_the_address(self, tmp_path, monkeypatch):
        def fail(*arguments):
            raise urllib.error.URLError("no network")

        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
        net = tiny()
        before = copied(net)
        with pytest.raises(CheckpointError, match=r"no network.*fetch https://.*/resnet50-0676ba61.pth") as caught:
            load_pretrained(net, "resnet50", True)
        assert "\n" not in str(caught.value)
        assert same(net, before)

    @pytest.fixture
    def server(self, tmp_path, monkeypatch):
        """torchvision's server, as a folder that holds GoogLeNet under a name with its hash."""
        file = create("googlenet_tv")
        torch.save(file.state_dict(), tmp_path / "file")
        name = f"googlenet-{sha256((tmp_path / 'file').read_bytes()).hexdigest()[:8]}.pth"
        (tmp_path / "file").rename(tmp_path / name)
        monkeypatch.setattr("cnnzoo.weights.published.FOLDER", tmp_path.as_uri())
        monkeypatch.setitem(PUBLISHED, "googlenet_tv", Published(name))
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
        return tmp_path / name, file

    def test_the_published_file_is_fetched_once(self, server):
        path, file = server
        net = create("googlenet_tv")
        load_pretrained(net, "googlenet_tv", True)
        assert same(net, copied(file))
        path.unlink()
        load_pretrained(refill(net), "googlenet_tv", True)
        assert same(net, copied(file))

    def test_without_auxiliary_heads_theirs_are_left_out(self, server):
        done = load_pretrained(create("googlenet_tv", aux_logits=False), "googlenet_tv", True)
        assert {name.partition(".")[0] for name in done.dropped} == {"aux1", "aux2"}

    def test_its_head_is_left_out_only_when_told(self, server):
        net = create("googlenet_tv", aux_logits=False, num_classes=3)
        with pytest.raises(CheckpointError, match=r"fc\.weight"):
            load_pretrained(net, "googlenet_tv", True)
        assert load_pretrained(net, "googlenet_tv", True, drop_head=True).kept == ("fc.weight", "fc.bias")

    def test_another_hash_is_refused_fresh_and_stored(self, server, tmp_path):
        path, _ = server
        path.write_bytes(path.read_bytes() + b"more")
        net = create("googlenet_tv")
        before = copied(net)
        with pytest.raises(CheckpointError, match="invalid hash"):
            load_pretrained(net, "googlenet_tv", True)
        stored = tmp_path / "home" / "hub" / "checkpoints" / path.name
        assert not stored.exists()
        path.rename(stored)
        with pytest.raises(CheckpointError, match="is not the published file"):
            load_pretrained(net, "googlenet_tv", True)
        assert same(net, before)


def test_a_value_that_changed_on_the_way_is_refused_where_the_file_has_sums(tmp_path):
    """Of torch's zip each record has a CRC-32, unless it was told to write none."""
    saved, net, path = nn.Linear(40, 30).state_dict(), nn.Linear(40, 30), tmp_path / "net.pth"
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for sums in (True, False):
        torch.serialization.set_crc32_options(sums)
        try:
            torch.save(saved, path)
        finally:
            torch.serialization.set_crc32_options(True)
        data = bytearray(path.read_bytes())
        data[data.index(saved["weight"].numpy().tobytes()) + 1000] ^= 1
        if sums:
            path.write_bytes(data)
            with pytest.raises(CheckpointError, match="damaged: the checksum of its record net/data/0 is not"):
                load_checkpoint(net, path)
            assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
        else:
            load_checkpoint(net, path)
            assert all(torch.equal(value, saved[name]) for name, value in net.state_dict().items())
