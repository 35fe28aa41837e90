"""What users of timm and torchvision type; facts of timm 1.0.31 and torchvision 0.29.1 are in data/drop_in.json."""

import copy
import json
import pickle
from enum import Enum
from hashlib import sha256
from inspect import signature
from pathlib import Path

import pytest
import torch
from reference import fill, image
from small import gives_vector, small, takes_classes
from torch import nn

import cnnzoo
from cnnzoo.arch import AvgPool2d, Flatten, Gate, Linear, Sequential, ShapeError, walk
from cnnzoo.arch.ends import without_head
from cnnzoo.models import googlenet, googlenet_tv, resnet18, resnet50, vgg11
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.checkpoints import CheckpointError
from cnnzoo.registry import ELSEWHERE
from cnnzoo.weights.published import PUBLISHED, WEIGHTS, Published, config_of, read_weights

FACTS = json.loads((Path(__file__).parent / "data" / "drop_in.json").read_text())
NAMES = cnnzoo.list_models()

each = pytest.mark.parametrize("name", NAMES)


def on_meta(name, **settings):
    return cnnzoo.create_model(name, device="meta", **settings).eval()


def empty(name, batch=2):
    return torch.empty(batch, *cnnzoo.get_builder(name).input_size, device="meta")


class TestOutputs:
    @pytest.mark.parametrize("fact", FACTS["outputs"], ids=lambda fact: f"{fact['name']} {fact['settings']}")
    def test_are_the_librarys(self, fact):
        net = cnnzoo.create_model(fact["name"], init=None, **fact["settings"]).eval()
        net.load_state_dict(fill(net.state_dict()))
        with torch.no_grad():
            logits = net(image((3, 96, 96)))[0]
        scale = max(map(abs, fact["logits"]))
        assert logits[:8].tolist() == pytest.approx(fact["logits"], rel=1e-5, abs=1e-5 * scale)
        assert logits.norm().item() == pytest.approx(fact["norm"], rel=1e-5)


class TestTransformInput:
    def test_is_a_layer_that_the_description_says(self):
        plain, converted = googlenet_tv.describe(), googlenet_tv.describe(transform_input=True)
        assert converted.children[1:] == plain.children
        assert converted.children[0][0] == "transform_input"
        before, after = cnnzoo.summary("googlenet_tv"), cnnzoo.summary("googlenet_tv", transform_input=True)
        row = after["transform_input"]
        assert (row.additions, row.multiplications, row.macs, row.weights) == (3 * 224 * 224, 3 * 224 * 224, 0, 0)
        assert (after.total_params, after.total_macs) == (before.total_params, before.total_macs)
        assert after.tensors == before.tensors

    def test_to_the_bit(self):
        """torchvision's expression; the scale of red is 0.229 / 0.5, its shift (0.485 - 0.5) / 0.5."""
        x = image((3, 8, 8), 2)
        net = googlenet_tv(transform_input=True, init=None, aux_logits=False)
        red = torch.unsqueeze(x[:, 0], 1) * (0.229 / 0.5) + (0.485 - 0.5) / 0.5
        green = torch.unsqueeze(x[:, 1], 1) * (0.224 / 0.5) + (0.456 - 0.5) / 0.5
        blue = torch.unsqueeze(x[:, 2], 1) * (0.225 / 0.5) + (0.406 - 0.5) / 0.5
        assert torch.equal(net.transform_input(x), torch.cat((red, green, blue), 1))
        raw = torch.rand(2, 3, 8, 8)
        mean, std = (torch.tensor(PUBLISHED["resnet50"][place])[:, None, None] for place in (1, 2))
        assert torch.allclose(net.transform_input((raw - mean) / std), 2 * raw - 1, atol=1e-6)

    def test_asks_for_a_number_for_each_channel(self):
        with pytest.raises(ShapeError, match=r"at transform_input: ScaleShift: \(1, 224, 224\) has 1 channels"):
            googlenet_tv(transform_input=True, in_chans=1)
        with pytest.raises(ShapeError, match="a number for each channel"):
            cnnzoo.arch.ScaleShift((1.0,), (1.0, 2.0))
        with pytest.raises(ShapeError, match="scale must be a number for each channel, got"):
            cnnzoo.arch.ScaleShift(2.0, 1.0)

    def test_in_training_the_fields_are_torchvisions(self):
        net = googlenet_tv(num_classes=5, init="torch")
        out = net(image((3, 64, 64), 2))
        assert out._fields == ("logits", "aux_logits2", "aux_logits1")
        net.aux2 = None
        assert net(image((3, 64, 64), 2))._fields == ("logits", "aux_logits1")
        assert googlenet(input_size=144, num_classes=3)(image((3, 144, 144), 2))._fields == ("logits", "aux1", "aux2")

    @pytest.fixture
    def published(self, tmp_path, monkeypatch):
        """GoogLeNet's file as torchvision publishes it: with auxiliary heads; and the network that is in it."""
        net = googlenet_tv(init="torch").eval()
        torch.save(net.state_dict(), tmp_path / "mine.pth")
        name = f"googlenet-{sha256((tmp_path / 'mine.pth').read_bytes()).hexdigest()[:8]}.pth"
        monkeypatch.setitem(PUBLISHED, "googlenet_tv", PUBLISHED["googlenet_tv"]._replace(file=name))
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        stored = tmp_path / "hub" / "checkpoints" / name
        stored.parent.mkdir(parents=True)
        stored.write_bytes((tmp_path / "mine.pth").read_bytes())
        return tmp_path / "mine.pth", net

    def test_goes_with_the_published_weights(self, published):
        """By name, by torchvision's word for it, and by the path of a file with the same content."""
        path, net = published
        x = image((3, 64, 64))
        with torch.no_grad():
            wanted = net(googlenet_tv(transform_input=True, init=None).transform_input(x))
            for settings in (
                {"pretrained": True},
                {"weights": "DEFAULT"},
                {"pretrained": path},
                {"checkpoint_path": path},
            ):
                loaded = googlenet_tv(**settings)
                assert next(name for name, _ in loaded.named_children()) == "transform_input"
                assert not any(name.startswith("aux") for name in loaded.state_dict())
                assert torch.equal(loaded.eval()(x), wanted)
                assert loaded.train()(x).shape == (1, 1000)  # no auxiliary heads, in training, too
                assert loaded.pretrained_cfg["mean"] == (0.485, 0.456, 0.406)
            plain = googlenet_tv(pretrained=True, transform_input=False, aux_logits=True).eval()
            assert torch.equal(plain(x), net(x))
            assert plain.pretrained_cfg["mean"] == (0.5, 0.5, 0.5)
            assert torch.equal(plain.state_dict()["aux1.fc1.weight"], net.state_dict()["aux1.fc1.weight"])
        assert cnnzoo.summary("googlenet_tv", pretrained=True)["transform_input"].output_shape == (3, 224, 224)
        assert cnnzoo.summary("googlenet_tv", pretrained=path)["transform_input"].output_shape == (3, 224, 224)


class TestWeights:
    @pytest.mark.parametrize("name", FACTS["weights"])
    def test_are_torchvisions_by_every_name_of_theirs(self, name):
        fact = FACTS["weights"][name]
        assert {tag for tag, files in WEIGHTS.items() if name in files} == fact["members"].keys()
        assert read_weights(name, "DEFAULT") == read_weights(name, fact["DEFAULT"])
        enum = Enum(fact["enum"], {tag: member["url"] for tag, member in fact["members"].items()})
        for tag, member in fact["members"].items():
            for spelled in (tag, f"{fact['enum']}.{tag}", enum[tag]):
                weights = read_weights(name, spelled)
                assert weights == cnnzoo.get_weight(f"{fact['enum']}.{tag}")
                said = {key: getattr(weights, key) for key in ("url", "resize_size", "crop_size")}
                assert {**said, "mean": list(weights.mean), "std": list(weights.std)} == member
        first = fact["members"]["IMAGENET1K_V1"]
        for converts in (False, True):
            config = config_of(name, None, googlenet_tv.describe(transform_input=converts))
            halves = "transform_input" in signature(cnnzoo.get_builder(name)).parameters and not converts
            assert list(config["mean"]) == ([0.5, 0.5, 0.5] if halves else first["mean"])
            assert list(config["std"]) == ([0.5, 0.5, 0.5] if halves else first["std"])
            assert config["crop_pct"] == first["crop_size"] / first["resize_size"]

    def test_list_models_has_those_with_weights(self):
        assert cnnzoo.list_models(pretrained=True) == sorted(FACTS["weights"], key=NAMES.index)
        assert cnnzoo.list_models("vgg1*", pretrained=True, exclude_filters="*_bn") == [
            "vgg11",
            "vgg13",
            "vgg16",
            "vgg19",
        ]

    def test_are_loaded(self, tmp_path, monkeypatch):
        net = resnet18(init="torch")
        torch.save(net.state_dict(), tmp_path / "file")
        digest = sha256((tmp_path / "file").read_bytes()).hexdigest()[:8]
        monkeypatch.setitem(PUBLISHED, "resnet18", Published(f"resnet18-{digest}.pth"))
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
        (tmp_path / "file").rename(tmp_path / "hub" / "checkpoints" / f"resnet18-{digest}.pth")
        loaded = cnnzoo.get_model("resnet18", weights="ResNet18_Weights.DEFAULT", progress=False)
        assert torch.equal(loaded.fc.weight, net.fc.weight)
        assert cnnzoo.get_model("resnet18", weights=None, init=None, pretrained=False)
        for classes in (3, 0):  # as in timm, another head is left as it begins
            other = cnnzoo.create_model("resnet18", pretrained=True, num_classes=classes)
            assert other.num_classes == classes
            assert torch.equal(other.layer4[1].conv2.weight, net.layer4[1].conv2.weight)

    def test_that_are_none_are_refused_in_one_line(self):
        enum = Enum("ResNet50_Weights", {"IMAGENET1K_V1": "url"})
        for weights, message in (
            ("IMAGENET1K_V3", "resnet18 has IMAGENET1K_V1 and DEFAULT; pretrained= takes the path of another file"),
            ("IMAGENET1K_V2", "resnet18 has IMAGENET1K_V1 and DEFAULT"),
            ("ResNet50_Weights.DEFAULT", "are not of resnet18"),
            (enum.IMAGENET1K_V1, "are not of resnet18"),
            (True, "are not of resnet18"),
        ):
            with pytest.raises(ValueError, match=message):
                resnet18(weights=weights)
        with pytest.raises(cnnzoo.UnknownModelError, match="unknown model 'swin_t'"):
            cnnzoo.get_weight("Swin_T_Weights.DEFAULT")
        with pytest.raises(CheckpointError, match="no weights are published for `resnet50_v1`; of its family"):
            cnnzoo.create_model("resnet50_v1", weights="DEFAULT")
        with pytest.raises(ValueError, match="pretrained and checkpoint_path both say which weights"):
            resnet18(pretrained=True, checkpoint_path="file")


def dilates(name):
    """Whether strides may become dilations without a change of values: gates and averages in its blocks see as many
    positions as before, as timm's do, and so less of the image."""
    builder = cnnzoo.get_builder(name)
    windows = any(isinstance(node, Gate | AvgPool2d) for _, node in walk(builder.describe()))
    return "output_stride" in signature(builder).parameters and not windows


class TestDilation:
    """Strides become dilations, and every old position has its old value: the à trous algorithm."""

    @pytest.mark.wide
    @pytest.mark.parametrize("name", [*filter(dilates, NAMES)])
    def test_old_positions_have_their_old_values(self, name):
        settings = {"depth": 2, "width": 8, "num_classes": 3}
        net = cnnzoo.create_model(name, init=None, **settings).eval()
        state = fill(net.state_dict())
        x = image((3, 96, 128))
        found = {}
        for stride in (32, 16, 8):
            net = cnnzoo.create_model(name, init=None, output_stride=stride, **settings).eval()
            assert net.state_dict().keys() == state.keys()
            net.load_state_dict(state)
            with torch.no_grad():
                found[stride] = net.forward_features(x)
        assert found[32].shape[2:] == (3, 4)
        for stride in (16, 8):
            assert found[stride].shape[2:] == (96 // stride, 128 // stride)
            step = 32 // stride
            assert torch.allclose(found[stride][:, :, ::step, ::step], found[32], rtol=1e-4, atol=1e-5)

    def test_three_flags_of_torchvision(self):
        assert resnet50.describe(output_stride=8) == resnet50.describe(replace_stride_with_dilation=[False, True, True])
        assert resnet50.describe(output_stride=32) == resnet50.describe()
        assert resnet50.describe(replace_stride_with_dilation=(True, False, True)).layer4[2].conv2.dilation == 4
        with pytest.raises(ValueError, match="output_stride must be 8, 16 or 32, got 4"):
            resnet50(output_stride=4)
        with pytest.raises(ValueError, match="must be three of True and False, for layer2 to layer4, got \\[True\\]"):
            resnet50(replace_stride_with_dilation=[True])

    @pytest.mark.parametrize("stride", [8, 16])
    def test_features_are_as_many(self, stride):
        """As timm's: reductions 2, 4, 8, 8, 8 with an output stride of 8."""
        info = on_meta("resnet50", features_only=True, output_stride=stride).feature_info
        assert info.reduction() == [min(one, stride) for one in (2, 4, 8, 16, 32)]
        assert info.module_name() == ["relu", "layer1", "layer2", "layer3", "layer4"]


class TestInit:
    def test_zero_init_residual(self):
        """Each block then gives its shortcut, rectified."""
        for name, last in (("resnet18", "bn2"), ("resnet50", "bn3")):
            torch.manual_seed(0)
            net = cnnzoo.create_model(name, zero_init_residual=True)
            torch.manual_seed(0)
            plain = cnnzoo.create_model(name)
            for key, value in net.state_dict().items():
                zero = key.endswith(f"{last}.weight")
                assert torch.equal(value, torch.zeros_like(value) if zero else plain.state_dict()[key])
        block = net.eval().layer1[1]
        x = image((256, 8, 8))
        assert torch.equal(block(x), torch.relu(x))
        with pytest.raises(ValueError, match="no residual branch"):
            vgg11(zero_init_residual=True, device="meta")


class TestMethods:
    @pytest.mark.wide
    @each
    def test_features_and_head_are_the_network(self, name):
        if not gives_vector(name):
            return
        description, size = small(name)
        net = build(description, size, device="meta").eval()
        x = torch.empty(2, *size, device="meta")
        if description._plan is not None:
            with pytest.raises(cnnzoo.CnnzooError, match="features and head do not run one after the other"):
                net.forward_features(x)
            return
        maps = net.forward_features(x)
        assert maps.shape[:2] == (2, net.num_features)
        assert maps.dim() == len(size) + 1
        assert net.forward_head(maps, pre_logits=True).shape[:2] == (2, net.head_hidden_size)  # maps before a 1x1
        assert net.forward_head(maps).shape == (2, net.num_classes)
        assert net.num_classes == 10 or not takes_classes(name)

    @pytest.mark.wide(3, 20)
    @each
    def test_the_classifier_can_be_reset(self, name):
        if not gives_vector(name):
            return
        description, size = small(name)
        net = build(description, size, device="meta").eval()
        headless = build(without_head(description), size, device="meta").eval()
        x = torch.empty(2, *size, device="meta")
        assert headless(x).shape == (2, net.head_hidden_size)
        begins = any(path == net.ends.head for path, _ in walk(without_head(description)))  # else it was a dropout
        ends = net.ends if begins else net.ends._replace(head=net.ends.classifier)
        assert (headless.ends, headless.num_classes) == (ends, 0)
        for one in (net, headless):
            one.reset_classifier(7)
            assert one(x).shape == (2, 7) == (2, one.num_classes)
            assert one.get_classifier().weight.is_meta
            one.reset_classifier(0)
            assert one(x).shape == (2, one.head_hidden_size)

    @pytest.mark.parametrize("name", ["lenet5", "alexnet", "vgg11", "googlenet", "resnet18", "densenet121"])
    def test_configuration(self, name):
        net = on_meta(name)
        assert net.pretrained_cfg is net.default_cfg
        config = net.default_cfg
        assert (config["architecture"], config["input_size"]) == (name, cnnzoo.get_builder(name).input_size)
        assert config["num_classes"] == net.num_classes
        assert net.get_classifier() is net.get_submodule(config["classifier"])
        convolutions = (module for module in net.modules() if "Conv2d" in type(module).__name__)
        assert net.get_submodule(config["first_conv"]) is next(convolutions)
        assert ("mean" in config) == (name in PUBLISHED)

    @pytest.mark.parametrize("name", FACTS["timm"])
    def test_are_timms(self, name):
        fact = FACTS["timm"][name]
        net = on_meta(name)
        x = torch.empty(1, 3, 64, 64, device="meta")
        assert list(net.forward_features(x).shape) == fact["forward_features"]
        assert (net.num_features, net.head_hidden_size) == (fact["num_features"], fact["head_hidden_size"])
        info = net.feature_info
        assert [[one["num_chs"], one["reduction"]] for one in info] == fact["feature_info"]

    @pytest.mark.parametrize("name", ["lenet5", "alexnet_tv", "vgg11", "googlenet_tv", "resnet18", "densenet121"])
    def test_give_the_logits_to_the_bit(self, name):
        description, size = small(name)
        net = build(description, size, init="torch").eval()
        x = image(size, 2)
        with torch.no_grad():
            assert torch.equal(net.forward_head(net.forward_features(x)), net(x))
            assert torch.equal(net.get_classifier()(net.forward_head(net.forward_features(x), pre_logits=True)), net(x))

    def test_what_is_assigned_counts(self):
        net = resnet18(num_classes=0, init="torch").eval()
        x = image((3, 64, 64), 2)
        net.fc = nn.Sequential(nn.Dropout(), nn.Linear(512, 4))
        net.avgpool = nn.AdaptiveMaxPool2d(1)
        net.eval()
        assert net.get_classifier() is net.fc
        assert torch.equal(net.forward_head(net.forward_features(x)), net(x))
        assert torch.equal(net.forward_head(net.forward_features(x), True), net.layer4(net[:-4](x)).amax((2, 3)))
        vgg = on_meta("vgg11")
        vgg.classifier = nn.Linear(25088, 3, device="meta")
        with pytest.raises(ValueError, match=r"has no classifier\.6 any more"):
            vgg.forward_head(vgg.forward_features(empty("vgg11")), True)

    def test_a_new_classifier_is_where_the_network_is(self):
        net = resnet18(dtype=torch.float64)
        net.reset_classifier(3)
        assert net.get_classifier().weight.dtype == torch.float64
        with pytest.raises(ValueError, match="the pooling is a layer of its own"):
            net.reset_classifier(3, "max")
        for other in (-1, "3", None, 2.0):
            with pytest.raises(ValueError, match="num_classes must be a whole number"):
                net.reset_classifier(other)

    def test_a_convolution_for_a_classifier(self):
        net = cnnzoo.create_model("vgg11", rewrites=["convolutionalize"], device="meta").eval()
        assert isinstance(net.get_classifier(), nn.Conv2d)
        net.reset_classifier(5)
        assert isinstance(net.get_classifier(), nn.Conv2d)
        assert net(empty("vgg11")).shape == (2, 5, 1, 1)

    def test_survive_a_copy(self):
        net = resnet18(init="torch", stem="cifar", width=8, num_classes=3)
        for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert (other.ends, other.num_features, other.pretrained_cfg) == (net.ends, 64, net.pretrained_cfg)
        with pytest.raises(ValueError, match="no whole network that ends in a classifier"):
            net[:3].forward_features(image((3, 32, 32)))

    @pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
    def test_are_none_of_a_network_without_a_classifier(self):
        net = resnet18(init="torch", stem="cifar", width=8)[:4]
        assert not hasattr(net, "num_classes")
        x = image((3, 32, 32))
        assert torch.equal(torch.jit.script(net.eval())(x), net(x))

    def test_another_description_without_maps_has_no_features(self):
        net = cnnzoo.create_model(Sequential(flatten=Flatten(), fc=Linear(3)), input_size=(1, 4, 4))
        assert not hasattr(net, "feature_info")
        assert net.default_cfg["classifier"] == "fc"


class TestCheckpointing:
    @pytest.mark.parametrize("name", ["googlenet_tv", "resnet18", "resnet50", "densenet121"])
    def test_gradients_are_the_same_and_less_is_kept(self, name):
        description, size = small(name)
        x = image(size, 2)
        found, kept = [], []
        for enable in (False, True):
            net = build(description, size, init=None, inplace=True)
            net.load_state_dict(fill(net.state_dict()))
            for module in net.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0
            net.set_grad_checkpointing(enable)
            sizes = {}

            def pack(tensor, sizes=sizes):
                sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                out = net(x)
            kept.append(sum(sizes.values()))
            out = out if isinstance(out, tuple) else (out,)
            sum(one.square().mean() for one in out).backward()
            found.append([*out, *(one.grad for one in net.parameters())])
            net.set_grad_checkpointing(False)
            assert not any(getattr(module, "checkpointed", False) for module in net.modules())
        assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
        assert kept[1] < kept[0]

    def test_of_features(self):
        net = resnet18(features_only=True, width=8, init="torch")
        net.set_grad_checkpointing()
        assert [name for name, module in net.named_modules() if getattr(module, "checkpointed", False)] == [
            f"layer{stage}.{block}" for stage in (1, 2, 3, 4) for block in (0, 1)
        ]
        sum(one.sum() for one in net(image((3, 64, 64), 2))).backward()
        assert all(one.grad is not None for one in net.parameters())

    def test_where_there_are_no_blocks(self):
        net = on_meta("vgg11")
        with pytest.raises(ValueError, match="no blocks"):
            net.set_grad_checkpointing()
        net.set_grad_checkpointing(False)


class TestRegistry:
    def test_list_models_takes_what_timms_and_torchvisions_take(self):
        every = cnnzoo.list_models()
        assert cnnzoo.list_models("") == cnnzoo.list_models("*") == cnnzoo.list_models([]) == every
        assert cnnzoo.list_models(["caffe*", "alexnet"]) == ["alexnet", "caffenet"]
        assert (
            cnnzoo.list_models("*", "lenet")
            == cnnzoo.list_models(module="cnnzoo.models.lenet")
            == cnnzoo.list_models("lenet*")
            == ["lenet5", "lenet5_modern", "lenet5_sigmoid"]
        )
        assert cnnzoo.list_models(module=cnnzoo.models.lenet) == cnnzoo.list_models("lenet*")
        assert cnnzoo.list_models(module=cnnzoo.models) == every
        assert cnnzoo.list_models("vgg1*", exclude_filters=["*_bn", "vgg11*", "vgg16*"]) == ["vgg13", "vgg19"]
        assert cnnzoo.list_models(include="resnet1*_v1", exclude="*2_v1") == ["resnet101_v1"]
        assert cnnzoo.list_models("resnet18.*") == []

    def test_other_names_of_functions(self):
        assert cnnzoo.model_entrypoint("resnet18") is cnnzoo.get_model_builder("resnet18") is resnet18
        assert cnnzoo.is_model("resnet18")
        assert not cnnzoo.is_model("resnet19")

    def test_a_tag_of_timm_is_told_where_weights_are_said(self):
        with pytest.raises(
            cnnzoo.UnknownModelError, match=r"'tv_in1k' names weights in timm; here .*weights='DEFAULT'"
        ):
            cnnzoo.create_model("resnet50.tv_in1k")

    @pytest.mark.parametrize("keyword", ELSEWHERE)
    def test_a_keyword_of_theirs_that_is_none_here_has_an_answer(self, keyword):
        with pytest.raises(TypeError, match=rf"^resnet18\(\) takes no keyword '{keyword}'; ") as caught:
            resnet18(**{keyword: 1})
        assert str(caught.value).endswith(ELSEWHERE[keyword])
        assert len(str(caught.value)) < 160

    def test_out_indices_may_be_a_number(self):
        info = on_meta("resnet50", features_only=True, out_indices=2).feature_info
        assert info.out_indices == [3, 4]
        with pytest.raises(ValueError, match="there is no map -6; the network has 5, from 0"):
            resnet50(features_only=True, out_indices=6)
