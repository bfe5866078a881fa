"""Scripts that measure Haylift; every figure in the documentation names the one that made it."""
