"""The endpoint over HTTP: SageMaker's two routes, OpenAI's, and those for operations."""
