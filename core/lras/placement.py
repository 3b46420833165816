"""Where a network runs and in which precision."""

import torch


def placement() -> tuple[torch.device, torch.dtype]:
    """The GPU in bfloat16 when there is one, else the CPU: bfloat16 where it multiplies it itself."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.bfloat16
    has_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.device("cpu"), torch.bfloat16 if has_bf16 else torch.float32
