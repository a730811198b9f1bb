"""How it is learned: one algorithm a file. Parameters are dicts of tensors with a leading task axis."""
