"""Pictures out of files, one module per container."""
