"""Models: where their files are, how text becomes tokens, and how ONNX Runtime runs them."""
