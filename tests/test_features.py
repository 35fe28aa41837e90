"""Maps from inside, cuts, heads and stems: all of them follow from the description."""

import pytest
import torch
from reference import fill, image
from small import gives_vector
from stepped import STEPPED
from torch import nn

import cnnzoo
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    From,
    Identity,
    Linear,
    MaxPool2d,
    Mean,
    ModuleList,
    Outputs,
    ReLU,
    Residual,
    Run,
    Sequential,
    walk,
)
from cnnzoo.arch.edit import PathError
from cnnzoo.arch.ends import cut, head, main_path, new_stem, without_head
from cnnzoo.calculate import calculate
from cnnzoo.models import densenet121, googlenet, googlenet_tv, lenet5, resnet18, resnet50, vgg11, vgg16
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.features import FeatureInfo

NAMES = cnnzoo.list_models()
TIMM = {
    "resnet18": ([64, 64, 128, 256, 512], [2, 4, 8, 16, 32]),
    "resnet50": ([64, 256, 512, 1024, 2048], [2, 4, 8, 16, 32]),
    "densenet121": ([64, 256, 512, 1024, 1024], [2, 4, 8, 16, 32]),
    "vgg16": ([64, 128, 256, 512, 512, 512], [1, 2, 4, 8, 16, 32]),
}
"""Channels and reductions that timm states by hand for its networks of these names."""


@pytest.mark.parametrize("name", NAMES)
class TestEveryNetwork:
    @pytest.mark.wide
    def test_gives_the_maps_that_its_info_states(self, name):
        builder = cnnzoo.get_builder(name)
        by_name = "whose steps read by name, end the description in Outputs"
        why_not = by_name if builder.describe()._plan is not None else None if builder.report().last_map else "no maps"
        if why_not:
            with pytest.raises(cnnzoo.CnnzooError, match=why_not):
                cnnzoo.create_model(name, features_only=True, device="meta")
            return
        net = cnnzoo.create_model(name, features_only=True, device="meta")
        maps = net(torch.empty(2, *builder.input_size, device="meta"))
        info = net.feature_info
        assert [one.shape[1] for one in maps] == info.channels()
        report = builder.report()
        for one, stride, path in zip(maps, info.reduction(), info.module_name(), strict=True):
            assert tuple(one.shape[1:]) == report[path].output_shape
            assert report[path].effective_stride == stride
        known = [stride if isinstance(stride, tuple) else (stride, stride) for stride in info.reduction() if stride]
        assert known == sorted(set(known))
        own = [row for row in report.rows if row.effective_stride and min(row.output_shape[1:]) > 1]
        assert len(info.reduction()) >= min(3, len({row.effective_stride for row in own}))
        assert net.state_dict().keys() <= report.tensors.keys()

    @pytest.mark.wide
    def test_without_its_head_lacks_the_classifier_alone(self, name):
        builder = cnnzoo.get_builder(name)
        if not gives_vector(name):
            return
        net = builder(num_classes=0, device="meta")
        out = net(torch.empty(2, *builder.input_size, device="meta"))
        assert out.dim() == 2
        full = [path for path, layer in main_path(builder.describe()) if layer.weighted]
        less = [path for path, layer in main_path(without_head(builder.describe())) if layer.weighted]
        assert less == full[:-1]
        (last,) = {
            tensor.shape[1]
            for key, tensor in builder(device="meta").state_dict().items()
            if key.startswith(f"{full[-1]}.") and tensor.dim() > 1
        }
        assert out.shape[1] == last


@pytest.mark.parametrize("name", TIMM)
def test_features_are_timms(name):
    info = cnnzoo.create_model(name, features_only=True, device="meta").feature_info
    assert (info.channels(), info.reduction()) == TIMM[name]


class TestFeatures:
    def test_are_the_networks_own_maps(self):
        full, part = resnet18(init=None).eval(), resnet18(features_only=True, init=None).eval()
        full.load_state_dict(fill(full.state_dict()))
        missing = part.load_state_dict(full.state_dict(), strict=False)
        assert missing.unexpected_keys == ["fc.weight", "fc.bias"]
        assert not missing.missing_keys
        x = image((3, 64, 64))
        with torch.no_grad():
            maps = part(x)
            assert torch.equal(maps[2], full[:6](x))
            assert torch.equal(full.fc(maps[4].mean((2, 3))), full(x))

    def test_out_indices(self):
        net = resnet50(features_only=True, out_indices=(-1, 2), device="meta")
        info = net.feature_info
        assert info.out_indices == [2, 4]
        assert (info.channels(), info.reduction(), info.module_name()) == ([512, 2048], [8, 32], ["layer2", "layer4"])
        assert info.channels(0) == 64
        assert info.get_dicts(["module"], [1]) == [{"module": "layer1"}]
        assert info[3] == {"num_chs": 1024, "reduction": 16, "module": "layer3", "index": 3}
        assert len(info) == 5
        assert len(net(torch.empty(1, 3, 64, 64, device="meta"))) == 2
        shallow = resnet50(features_only=True, out_indices=[1], device="meta")
        assert [name for name, _ in shallow.named_children()] == ["conv1", "bn1", "relu", "maxpool", "layer1"]

    def test_out_indices_that_are_none(self):
        with pytest.raises(ValueError, match="there is no map 5; the network has 5, from 0"):
            resnet50(features_only=True, out_indices=(5,))
        with pytest.raises(ValueError, match="at least one"):
            resnet50(features_only=True, out_indices=())

    def test_of_steps(self):
        """A block with steps is one of the modules that run in turn; of a network with steps, Outputs say them."""
        block, conv = STEPPED["fire"][0], Conv2d(8, 3, stride=2, padding=1)
        net = Sequential(conv=conv, block=block, last=conv)
        part, whole = cnnzoo.create_model(net, input_size=(3, 9, 9), features_only=True), build(net, (3, 9, 9))
        assert part.feature_info.module_name() == ["block", "last"]
        part.load_state_dict(whole.state_dict())
        assert torch.equal(part(image((3, 9, 9)))[1], whole(image((3, 9, 9))))
        with pytest.raises(ValueError, match=r'end the description in Outputs\("layer1", "layer2\.1"\)'):
            cnnzoo.create_model(block, input_size=(3, 9, 9), features_only=True)

    def test_compile_and_trace(self):
        net = resnet18(features_only=True, init="torch").eval()
        x = image((3, 64, 64))
        with torch.no_grad():
            wanted = net(x)
            for other in (torch.fx.symbolic_trace(net), torch.compile(net, fullgraph=True, backend="eager")):
                assert all(torch.equal(a, b) for a, b in zip(other(x), wanted, strict=True))

    def test_change_with_the_stem(self):
        info = resnet18(features_only=True, stem="cifar", device="meta").feature_info
        assert (info.channels(), info.reduction()) == ([64, 128, 256, 512], [1, 2, 4, 8])


class TestCut:
    def test_ends_in_what_the_path_gives(self):
        full = calculate(resnet50.describe(), (3, 224, 224))
        less = calculate(cut(resnet50.describe(), "layer3"), (3, 224, 224))
        assert less[""].output_shape == full["layer3"].output_shape == (1024, 14, 14)
        assert list(less.tensors) == [key for key in full.tensors if not key.startswith(("layer4", "fc"))]
        assert cnnzoo.cut is cut

    @pytest.mark.wide(1)
    @pytest.mark.parametrize("builder", [resnet18, densenet121, googlenet_tv, lenet5])
    def test_at_every_path(self, builder):
        """The value at a path is that of the whole network there, and its tensors are the network's."""
        description, size = builder.describe(), builder.input_size
        report = calculate(description, size)
        rows = {row.path: row for row in (*report.rows, *report.blocks)}
        for path, _ in walk(description):
            if path and path in rows:
                less = calculate(cut(description, path), size)
                assert less[""].output_shape == rows[path].output_shape, path
                assert less.tensors.items() <= report.tensors.items()
                assert not less.totals["aux_params"]

    @pytest.mark.parametrize("name", STEPPED)
    def test_at_every_path_of_steps(self, name):
        """A cut has what its last value is made of, and nothing else."""
        net, sizes = STEPPED[name]
        report = calculate(net, sizes)
        rows = {row.path: row for row in (*reversed(report.rows), *report.blocks)}
        held = [path for path, node in walk(net) if isinstance(node, ModuleList)]
        for path, node in walk(net):
            if any(path == one or path.startswith(f"{one}.") for one in held):
                with pytest.raises(ValueError, match="is held in a ModuleList and gives no value"):
                    cut(net, path)
            elif path in rows and (less := cut(net, path))._takes == net._takes and not node._gives:
                priced = calculate(less, sizes)
                assert priced[""].output_shape == rows[path].output_shape, path
                assert priced.tensors.items() <= report.tensors.items()

    def test_leaves_out_what_is_not_read(self):
        conv = Conv2d(4, 1)
        net = Sequential(a=conv, b=conv, c=From("a", conv), held=ModuleList(conv), d=Run("held.0"), e=Run("b", "d"))
        assert cut(net, "c") == Sequential(a=conv, c=conv)
        assert cut(net, "d") == Sequential(a=conv, c=conv, held=ModuleList(conv), d=Run("held.0"))
        assert cut(net, "e") == net
        headed = Sequential(a=conv, b=From("input", conv), aux=Aux("a", Flatten()), c=Add("a", "b"))
        assert cut(headed, "aux") == Sequential(a=conv, aux=Sequential(Flatten()))

    def test_runs_as_the_network_does(self):
        full = googlenet_tv(init="torch", inplace=False).eval()  # else the ReLU behind it overwrites what a hook saw
        x = image((3, 64, 64))
        for path in ("inception3a.branch3.1.conv", "inception4b", "aux1.fc1"):
            part = build(cut(googlenet_tv.describe(), path), (3, 64, 64), init=None).eval()
            part.load_state_dict({key: full.state_dict()[key] for key in part.state_dict()})
            seen = []
            handle = full.get_submodule(path).register_forward_hook(lambda _, __, out, seen=seen: seen.append(out))
            with torch.no_grad():
                full.training = path.startswith("aux")
                full(x)
                full.training = False
                assert torch.equal(part(x), seen[0])
            handle.remove()

    def test_an_unknown_path(self):
        with pytest.raises(PathError, match=r"at layer3: there is no '9'"):
            cut(resnet50.describe(), "layer3.9")
        with pytest.raises(TypeError, match=r"cut\(\) takes a description, got 'resnet50'"):
            cut("resnet50", "layer3")

    def test_the_whole(self):
        assert cut(resnet50.describe(), "") == resnet50.describe()


class TestHead:
    @pytest.mark.parametrize("dropouts", [0, 1, 2])
    def test_begins_with_the_dropouts_before_it(self, dropouts):
        names = [f"drop{n}" for n in range(dropouts)]
        net = Sequential(conv=Conv2d(8, 3), **dict.fromkeys(names, Dropout()), flatten=Flatten(), fc=Linear(2))
        assert head(net) == ([*names, "flatten"][0], "fc")

    @pytest.mark.parametrize("keepdim", [False, True])
    def test_a_mean_over_both_sides_begins_it_as_a_pooling_does(self, keepdim):
        last = {"flatten": Flatten(), "fc": Linear(2)} if keepdim else {"fc": Linear(2)}
        net = Sequential(conv=Conv2d(8, 3), drop=Dropout(), pool=Mean((-1, -2), keepdim), **last)
        assert head(net) == ("drop", "fc")
        assert list(dict(without_head(net).children)) == ["conv", "drop", "pool", *last]
        module = build(net, (3, 9, 9)).eval()
        x = image((3, 9, 9), 2)
        assert module.forward_features(x).shape == (2, 8, 7, 7)
        assert torch.equal(module.forward_head(module.forward_features(x)), module(x))
        assert (module.num_features, module.head_hidden_size) == (8, 8)
        assert FeatureInfo(net, (3, 9, 9)).module_name() == ["drop"]

    def test_features_that_timm_gives(self):
        sizes = {resnet50: 2048, vgg16: 4096, densenet121: 1024, googlenet: 1024, lenet5: 84}
        for builder, size in sizes.items():
            report = calculate(without_head(builder.describe()), builder.input_size)
            assert report[""].output_shape == (size,)

    def test_heads_at_the_side_go_too(self):
        assert not any(isinstance(node, Aux) for _, node in walk(without_head(googlenet.describe())))
        x = image((3, 64, 64), 2)
        assert googlenet_tv(num_classes=0, init="torch")(x).shape == (2, 1024)

    def test_dropout_before_it_goes_and_behind_it_the_activation(self):
        body = Sequential(Conv2d(8, 3), ReLU())
        head = Sequential(Conv2d(5, 1), ReLU())
        assert without_head(Sequential(body=body, head=head)) == Sequential(body=body, head=Sequential(Identity()))

    def test_of_steps_it_is_what_nothing_else_reads(self):
        conv, end = Conv2d(8, 1), {"pool": AdaptiveAvgPool2d(1), "flat": Flatten(), "fc": Linear(3)}
        net = Sequential(a=conv, b=From("input", conv), met=Add("a", "b"), **end)
        assert head(net) == ("pool", "fc")
        assert without_head(net) == Sequential(**dict(net._said()) | {"fc": Identity()})
        module = build(net, (3, 9, 9))
        assert (module.num_classes, module.num_features, module.head_hidden_size) == (3, 8, 8)
        module.reset_classifier(5)
        assert module(image((3, 9, 9), 2)).shape == (2, 5)
        for method in (module.forward_features, module.forward_head):
            with pytest.raises(ValueError, match="steps read by name, so features and head do not run one after the"):
                method(image((3, 9, 9)))
        inside = build(Sequential(body=conv, head=Sequential(a=ReLU(), met=Add("a", "input"), **end)), (3, 9, 9))
        assert inside.num_classes == 3
        with pytest.raises(ValueError, match="at head: the network's steps read by name"):
            inside.forward_features(image((3, 9, 9)))

    @pytest.mark.parametrize(
        "last",
        [
            {"fc": Conv2d(2, 1), "out": Add("fc", "input")},
            {"fc": Conv2d(2, 1), "again": Run("fc")},
            {"fc": Conv2d(2, 1), "out": Outputs("fc", "conv")},
            {"row": Sequential(fc=Conv2d(2, 1), out=Add("fc", "fc"))},
            {"row": Sequential(fc=Conv2d(2, 1), relu=ReLU()), "out": Add("row", "row.fc")},
        ],
    )
    def test_of_steps_that_something_else_reads_there_is_none(self, last):
        assert head(Sequential(conv=Conv2d(2, 1), **last)) is None

    def test_where_there_is_none(self):
        with pytest.raises(ValueError, match="does not end in a classifier"):
            without_head(Sequential(Concat(a=Conv2d(4, 1))))
        with pytest.raises(ValueError, match="does not end in a classifier"):
            without_head(ReLU())


class TestStem:
    @pytest.mark.parametrize("builder", [resnet18, densenet121])
    def test_cifar(self, builder):
        net = builder(stem="cifar", num_classes=10, in_chans=1, init="torch").eval()
        assert net(image((1, 32, 32))).shape == (1, 10)
        conv = next(module for module in net.modules() if isinstance(module, nn.Conv2d))
        assert (conv.kernel_size, conv.stride, conv.in_channels) == ((3, 3), (1, 1), 1)
        assert not any(isinstance(module, nn.MaxPool2d) for module in net.modules())
        report = calculate(new_stem(builder.describe(), "cifar"), (3, 32, 32))
        assert report.last_map.output_shape[1:] == (4, 4)

    def test_what_reads_the_pooling_reads_what_that_read(self):
        net = Sequential(conv=Conv2d(8, 7, stride=2), pool=MaxPool2d(2), a=Conv2d(4, 1), b=From("pool", Conv2d(4, 1)))
        small = {"conv": Conv2d(8, 3, padding=1), "a": Conv2d(4, 1), "b": From("conv", Conv2d(4, 1))}
        assert new_stem(net, "cifar") == Sequential(**small)

    def test_of_one_layer(self):
        alone = Sequential(Conv2d(8, 7, stride=2, padding=3), MaxPool2d(3, 2, 1))
        assert new_stem(alone, "cifar") == Sequential(Conv2d(8, 3, padding=1))

    def test_takes_what_it_needs(self):
        description = Sequential(Conv2d(8, 7, stride=2, bias=False), BatchNorm2d(), MaxPool2d(3), Conv2d(4, 1))
        assert new_stem(description, "cifar") == Sequential(
            **{"0": Conv2d(8, 3, padding=1, bias=False), "1": BatchNorm2d(), "3": Conv2d(4, 1)}
        )

    def test_where_there_is_none(self):
        with pytest.raises(ValueError, match=r"this network begins with Conv2d\(64, 3, padding=1\)"):
            vgg11(stem="cifar")
        with pytest.raises(ValueError, match="unknown stem 'tiny'; there is 'cifar'"):
            resnet18(stem="tiny")


class TestInput:
    def test_channels_and_size(self):
        assert resnet18(in_chans=1, device="meta").conv1.in_channels == 1
        assert lenet5(in_chans=3, device="meta").c1.in_channels == 3
        assert cnnzoo.create_model("vgg11", input_size=(1, 64, 64), device="meta").features[0].in_channels == 1
        net = cnnzoo.create_model("googlenet", input_size=144, num_classes=3, init="torch")
        assert net(image((3, 144, 144), 2)).aux1.shape == (2, 3)
        with pytest.raises(ValueError, match="has 3 channels, in_chans says 1"):
            resnet18(in_chans=1, input_size=(3, 64, 64))

    def test_names_of_torchvision_and_timm(self):
        assert cnnzoo.get_model("resnet18", weights=None, num_classes=3, device="meta").fc.out_features == 3
        assert cnnzoo.get_model_builder("resnet18") is resnet18
        assert resnet18(7, device="meta").fc.out_features == 7


def test_joins_are_cut_by_their_flow():
    block = Residual(a=Conv2d(2, 1), b=ReLU(), downsample=Conv2d(2, 1), c=ReLU())
    assert cut(block, "b") == Sequential(a=Conv2d(2, 1), b=ReLU())
    assert cut(block, "downsample") == Sequential(downsample=Conv2d(2, 1))
    assert cut(block, "c") == block
    assert cut(Dense(a=Conv2d(2, 1), b=ReLU()), "a") == Sequential(a=Conv2d(2, 1))
    assert cut(Concat(a=Conv2d(2, 1), b=ReLU()), "b") == Sequential(b=ReLU())
    sided = Sequential(a=Conv2d(2, 1), b=ReLU(), side=Aux("a", c=ReLU()), d=ReLU())
    assert cut(sided, "side") == Sequential(a=Conv2d(2, 1), side=Sequential(c=ReLU()))
