"""Learning: data, sequences, losses, and one resumable loop for the LRAS networks and their quantizers."""
