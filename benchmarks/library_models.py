"""Small models of libraries that people build on, from their configurations, so that nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Given(NamedTuple):
    """An input of one sample, without the batch in front."""

    shape: tuple[int, ...]
    below: int | None = None
    """Whole numbers from 0 up to this one, excluded; None is floating numbers from 0 to 1."""

    def tensor(self, batch: int, generator: torch.Generator) -> Tensor:
        shape = (batch, *self.shape)
        if self.below is None:
            return torch.rand(shape, generator=generator)
        return torch.randint(self.below, shape, generator=generator)


class Model(NamedTuple):
    """How a library's model is built, and what its forward is given, by keyword; under "" by position."""

    build: Callable[[Any], nn.Module]
    """Of the imported library."""
    inputs: dict[str, Given]


IMAGE = {"": Given((3, 64, 64))}
PIXELS = {"pixel_values": Given((3, 64, 64))}
TOKENS = {"input_ids": Given((12,), 100)}
WORDS: dict[str, Any] = {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
SMALL = {**WORDS, "intermediate_size": 48}
VISION: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 64,
    "patch_size": 16,
}
LLAMA = {**SMALL, "num_key_value_heads": 2}
RESNET = {"embedding_size": 16, "hidden_sizes": [16, 24, 32, 40], "depths": [1, 1, 1, 1], "layer_type": "basic"}
BLOCKS: dict[str, Any] = {"block_out_channels": (16, 32), "layers_per_block": 1, "norm_num_groups": 8}
T5 = {"vocab_size": 100, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
SEQUENCES: dict[str, Any] = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4}
DECODER: dict[str, Any] = {"decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
WHISPER = {**SEQUENCES, **DECODER, "vocab_size": 100, "num_mel_bins": 8, "max_source_positions": 32}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
WAVES: dict[str, Any] = {**SMALL, "conv_dim": (16, 16, 16), "conv_kernel": (10, 3, 3), "conv_stride": (5, 2, 2)}
LATENTS = {"sample": Given((4, 16, 16)), "timestep": Given((), 1000)}
TEXT = {"encoder_hidden_states": Given((6, 32))}
NO_WEIGHTS: dict[str, Any] = {"encoder_weights": None, "classes": 3}
VOLUME = {"": Given((1, 16, 16, 16))}
GREY = {"": Given((1, 64, 64))}
HIGH_RES = (
    {"name": "conv_0", "n_features": 8, "kernel_size": 3},
    {"name": "res_1", "n_features": 8, "kernels": (3, 3), "repeat": 1},
    {"name": "res_2", "n_features": 12, "kernels": (3, 3), "repeat": 1},
    {"name": "conv_1", "n_features": 16, "kernel_size": 1},
    {"name": "conv_2", "kernel_size": 1},
)

TRANSFORMERS: dict[str, Model] = {
    "BertModel": Model(lambda lib: lib.BertModel(lib.BertConfig(**SMALL)), TOKENS),
    "DistilBertForSequenceClassification": Model(
        lambda lib: lib.DistilBertForSequenceClassification(
            lib.DistilBertConfig(vocab_size=100, dim=32, n_layers=2, n_heads=4, hidden_dim=48)
        ),
        TOKENS,
    ),
    "GPT2LMHeadModel": Model(
        lambda lib: lib.GPT2LMHeadModel(lib.GPT2Config(vocab_size=100, n_embd=32, n_layer=2, n_head=4)), TOKENS
    ),
    "T5ForConditionalGeneration": Model(
        lambda lib: lib.T5ForConditionalGeneration(lib.T5Config(**T5)),
        {**TOKENS, "decoder_input_ids": Given((7,), 100)},
    ),
    "LlamaForCausalLM": Model(lambda lib: lib.LlamaForCausalLM(lib.LlamaConfig(**LLAMA)), TOKENS),
    "MixtralForCausalLM": Model(
        lambda lib: lib.MixtralForCausalLM(lib.MixtralConfig(**LLAMA, num_local_experts=4)), TOKENS
    ),
    "MambaForCausalLM": Model(
        lambda lib: lib.MambaForCausalLM(
            lib.MambaConfig(vocab_size=100, hidden_size=32, num_hidden_layers=2, state_size=4)
        ),
        TOKENS,
    ),
    "WhisperForConditionalGeneration": Model(
        lambda lib: lib.WhisperForConditionalGeneration(lib.WhisperConfig(**WHISPER, **SPECIAL)),
        {"input_features": Given((8, 64)), "decoder_input_ids": Given((5,), 100)},
    ),
    "Wav2Vec2ForCTC": Model(
        lambda lib: lib.Wav2Vec2ForCTC(
            lib.Wav2Vec2Config(**WAVES, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4)
        ),
        {"input_values": Given((1600,))},
    ),
    "ViTForImageClassification": Model(
        lambda lib: lib.ViTForImageClassification(lib.ViTConfig(**VISION, num_labels=10)), PIXELS
    ),
    "SwinModel": Model(
        lambda lib: lib.SwinModel(lib.SwinConfig(image_size=64, embed_dim=16, depths=[2, 2], num_heads=[2, 4])), PIXELS
    ),
    "ConvNextModel": Model(
        lambda lib: lib.ConvNextModel(lib.ConvNextConfig(hidden_sizes=[16, 24, 32, 40], depths=[1, 1, 2, 1])), PIXELS
    ),
    "ResNetForImageClassification": Model(
        lambda lib: lib.ResNetForImageClassification(lib.ResNetConfig(**RESNET, num_labels=10)), PIXELS
    ),
    "SegformerForSemanticSegmentation": Model(
        lambda lib: lib.SegformerForSemanticSegmentation(
            lib.SegformerConfig(depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32], decoder_hidden_size=32, num_labels=5)
        ),
        PIXELS,
    ),
    "DetrForObjectDetection": Model(
        lambda lib: lib.DetrForObjectDetection(
            lib.DetrConfig(
                **{**SEQUENCES, **DECODER},
                use_timm_backbone=False,
                use_pretrained_backbone=False,
                backbone=None,
                backbone_config=lib.ResNetConfig(**RESNET, out_features=["stage4"]),
                num_queries=10,
                num_labels=5,
            )
        ),
        PIXELS,
    ),
    "CLIPModel": Model(
        lambda lib: lib.CLIPModel(lib.CLIPConfig(text_config={**SMALL, **SPECIAL}, vision_config=VISION)),
        {**TOKENS, **PIXELS},
    ),
}

DIFFUSERS: dict[str, Model] = {
    "AutoencoderKL": Model(
        lambda lib: lib.AutoencoderKL(
            **BLOCKS, down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2
        ),
        {"sample": Given((3, 32, 32))},
    ),
    "VQModel": Model(
        lambda lib: lib.VQModel(
            **BLOCKS,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            num_vq_embeddings=32,
        ),
        {"sample": Given((3, 32, 32))},
    ),
    "UNet2DModel": Model(
        lambda lib: lib.UNet2DModel(
            **BLOCKS,
            sample_size=16,
            in_channels=4,
            out_channels=4,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        ),
        LATENTS,
    ),
    "UNet2DConditionModel": Model(
        lambda lib: lib.UNet2DConditionModel(
            **BLOCKS,
            sample_size=16,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=32,
            attention_head_dim=8,
        ),
        {**LATENTS, **TEXT},
    ),
    "ControlNetModel": Model(
        lambda lib: lib.ControlNetModel(
            **BLOCKS,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            cross_attention_dim=32,
            attention_head_dim=8,
            conditioning_embedding_out_channels=(8, 16),
        ),
        {**LATENTS, **TEXT, "controlnet_cond": Given((3, 32, 32))},
    ),
    "DiTTransformer2DModel": Model(
        lambda lib: lib.DiTTransformer2DModel(
            num_attention_heads=2, attention_head_dim=16, num_layers=2, sample_size=16, norm_num_groups=8
        ),
        {"hidden_states": Given((4, 16, 16)), "timestep": Given((), 1000), "class_labels": Given((), 1000)},
    ),
    "SD3Transformer2DModel": Model(
        lambda lib: lib.SD3Transformer2DModel(
            sample_size=16,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=4,
            in_channels=4,
            out_channels=4,
            joint_attention_dim=32,
            caption_projection_dim=32,
            pooled_projection_dim=24,
            pos_embed_max_size=16,
        ),
        {
            "hidden_states": Given((4, 16, 16)),
            "encoder_hidden_states": Given((6, 32)),
            "pooled_projections": Given((24,)),
            "timestep": Given((), 1000),
        },
    ),
}

SMP: dict[str, Model] = {
    "Unet": Model(lambda lib: lib.Unet("resnet18", **NO_WEIGHTS), IMAGE),
    "UnetPlusPlus": Model(lambda lib: lib.UnetPlusPlus("timm-mobilenetv3_small_100", **NO_WEIGHTS), IMAGE),
    "FPN": Model(lambda lib: lib.FPN("efficientnet-b0", **NO_WEIGHTS), IMAGE),
    "DeepLabV3Plus": Model(lambda lib: lib.DeepLabV3Plus("mobilenet_v2", **NO_WEIGHTS), IMAGE),
    "MAnet": Model(
        lambda lib: lib.MAnet("resnet18", encoder_depth=3, decoder_channels=(32, 24, 16), **NO_WEIGHTS), IMAGE
    ),
    "PSPNet": Model(
        lambda lib: lib.PSPNet("resnet18", **NO_WEIGHTS, aux_params={"classes": 4, "pooling": "avg"}), IMAGE
    ),
    "Segformer": Model(lambda lib: lib.Segformer("mit_b0", **NO_WEIGHTS), IMAGE),
}

MONAI: dict[str, Model] = {
    "UNet": Model(lambda lib: lib.UNet(3, 1, 2, (4, 8, 16), (2, 2), num_res_units=1), VOLUME),
    "SegResNet": Model(lambda lib: lib.SegResNet(3, 8), VOLUME),
    "SwinUNETR": Model(lambda lib: lib.SwinUNETR(1, 2, feature_size=12, depths=(1, 1, 1, 1), spatial_dims=2), GREY),
    "UNETR": Model(lambda lib: lib.UNETR(1, 2, (16, 16, 16), 4, hidden_size=48, mlp_dim=64, num_heads=4), VOLUME),
    "DenseNet121": Model(lambda lib: lib.DenseNet121(2, 1, 3), GREY),
    "AttentionUnet": Model(lambda lib: lib.AttentionUnet(2, 1, 2, (8, 16, 32), (2, 2)), GREY),
    "DynUNet": Model(lambda lib: lib.DynUNet(2, 1, 2, (3, 3, 3), (1, 2, 2), (2, 2), filters=(8, 16, 32)), GREY),
    "HighResNet": Model(lambda lib: lib.HighResNet(3, 1, 2, layer_params=HIGH_RES), VOLUME),
}

ULTRALYTICS: dict[str, Model] = {
    "yolov8n.yaml": Model(lambda lib: lib.DetectionModel("yolov8n.yaml", verbose=False), IMAGE),
    "yolov8n-seg.yaml": Model(lambda lib: lib.SegmentationModel("yolov8n-seg.yaml", verbose=False), IMAGE),
    "yolov8n-pose.yaml": Model(lambda lib: lib.PoseModel("yolov8n-pose.yaml", verbose=False), IMAGE),
    "yolov8n-cls.yaml": Model(lambda lib: lib.ClassificationModel("yolov8n-cls.yaml", verbose=False), IMAGE),
    "yolo11n.yaml": Model(lambda lib: lib.DetectionModel("yolo11n.yaml", verbose=False), IMAGE),
    "yolo11n-obb.yaml": Model(lambda lib: lib.OBBModel("yolo11n-obb.yaml", verbose=False), IMAGE),
    "yolov10n.yaml": Model(lambda lib: lib.DetectionModel("yolov10n.yaml", verbose=False), IMAGE),
}

LIBRARIES: dict[str, dict[str, Model]] = {
    "transformers": TRANSFORMERS,
    "diffusers": DIFFUSERS,
    "segmentation_models_pytorch": SMP,
    "monai.networks.nets": MONAI,
    "ultralytics.nn.tasks": ULTRALYTICS,
}
"""By what is imported, its models by name."""
