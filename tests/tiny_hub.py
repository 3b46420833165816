"""Tiny networks with random weights of the very architectures that are offered, in the released file formats."""

from pathlib import Path

import torch

DEPTH_ANYTHING_SIDE = 70
DEPTH_PRO_SIDE = 128
SAM2_SIDE = 128


def save_sam(file: Path, seed: int = 0) -> None:
    """A `.pth` as segment-anything writes it; its encoder is 32 wide with two blocks, one of them windowed."""
    from core.perception.segmentation.sam import _builders

    torch.manual_seed(seed)
    network = _builders()._build_sam(32, 2, 2, [1])
    # Released relative positions and position map are not zero, and a table of zeros would hide a wrong size.
    for name, value in network.named_parameters():
        if "rel_pos" in name or name.endswith("pos_embed"):
            torch.nn.init.normal_(value, std=0.02)
    # Random ratings may all lie below zero, where none differs from another.
    torch.nn.init.constant_(network.mask_decoder.iou_prediction_head.layers[-1].bias, 0.5)
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), file)


def sam2_parts() -> dict:
    """The configuration that image and video models share."""
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8, "image_size": [SAM2_SIDE, SAM2_SIDE], "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64], "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [8, 4, 4, 4], "global_attention_blocks": [3],
    }  # fmt: skip
    sizes = [[SAM2_SIDE // 4] * 2, [SAM2_SIDE // 8] * 2, [SAM2_SIDE // 16] * 2]
    vision = {
        "model_type": "sam2_vision_model", "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": sizes, "fpn_hidden_size": 32,
    }  # fmt: skip
    decoder = {"hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 2, "iou_head_hidden_dim": 32}
    return {
        "vision_config": vision,
        "prompt_encoder_config": {"hidden_size": 32, "image_size": SAM2_SIDE},
        "mask_decoder_config": decoder,
    }


def save_sam2(folder: Path, seed: int = 0) -> None:
    """config.json and model.safetensors of a video model, which is what the SAM 2.1 repositories hold."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(seed)
    config = Sam2VideoConfig(
        **sam2_parts(), image_size=SAM2_SIDE, memory_attention_hidden_size=32, memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32, memory_encoder_hidden_size=32, memory_encoder_output_channels=8,
        mask_downsampler_embed_dim=32, memory_fuser_embed_dim=32, memory_fuser_intermediate_dim=32,
        memory_attention_rope_feat_sizes=[SAM2_SIDE // 16] * 2,
    )  # fmt: skip
    Sam2VideoModel(config).save_pretrained(folder)


def save_depth_anything(folder: Path, max_depth: int | None = None, seed: int = 0) -> None:
    """The relative network, or the metric one that tells up to `max_depth` metres."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    torch.manual_seed(seed)
    backbone = Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=DEPTH_ANYTHING_SIDE, patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    kind = {} if max_depth is None else {"depth_estimation_type": "metric", "max_depth": max_depth}
    config = DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16,
        head_hidden_size=8, patch_size=14, **kind,
    )  # fmt: skip
    network = DepthAnythingForDepthEstimation(config)
    # Random weights may all lie below zero, where the last layer's ReLU tells nothing.
    torch.nn.init.constant_(network.head.conv3.bias, 0.5)
    network.save_pretrained(folder)


def save_depth_pro(folder: Path, seed: int = 0) -> None:
    """With its field of view."""
    from transformers import DepthProConfig, DepthProForDepthEstimation, Dinov2Config

    torch.manual_seed(seed)
    encoder = Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=DEPTH_PRO_SIDE // 4, patch_size=8,
    ).to_dict()  # fmt: skip
    config = DepthProConfig(
        fusion_hidden_size=16, patch_size=DEPTH_PRO_SIDE // 4, intermediate_hook_ids=[3, 1],
        intermediate_feature_dims=[8, 8], scaled_images_feature_dims=[16, 16, 8], use_fov_model=True,
        merge_padding_value=0, image_model_config=encoder, patch_model_config=encoder, fov_model_config=encoder,
    )  # fmt: skip
    network = DepthProForDepthEstimation(config)
    torch.nn.init.constant_(network.fov_model.head.layers[-1].bias, 50.0)
    network.save_pretrained(folder)
