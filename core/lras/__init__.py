"""The Local Random Access Sequence model: tokens, networks, decoding, checkpoints."""
