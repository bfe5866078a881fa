"""The settings, typed once. Each is an environment variable `HAYLIFT_ENDPOINT_<NAME>`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from haylift_endpoint.errors import StartupError

PREFIX = "HAYLIFT_ENDPOINT_"

# SageMaker real-time invocations: 6 MB of body and 60 s of time (AWS, SageMaker endpoint quotas).
SAGEMAKER_BODY_BYTES = 6 * 1024 * 1024
SAGEMAKER_INVOCATION_MS = 60_000


class Settings(BaseModel):
    """What the process is told at start. Frozen; a wrong or unknown name stops the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["embed"] = Field(
        "embed", description="What this container serves: embeddings and reranking."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; the container image sets 0.0.0.0.")
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on; SageMaker wants 8080.")
    models: tuple[str, ...] = Field(
        ("bge-small-en-v1.5", "ms-marco-MiniLM-L-12-v2"),
        min_length=1,
        description="Names from the registry, separated by commas; the first of each task is its default.",
    )
    model_registry: Path | None = Field(None, description="Registry file; default: the packaged models.toml.")
    model_paths: dict[str, Path] = Field(
        {}, description="JSON object, model name to the folder that holds its files, instead of the packages."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto takes CUDA where ONNX Runtime offers it; cuda refuses to start without it."
    )
    intra_op_threads: int | None = Field(
        None, ge=1, le=256, description="Threads of one model run; default: the cores this process may use."
    )
    cpu_arena: bool = Field(
        default=True,
        description="ONNX Runtime's memory arena on CPU: faster, and keeps the memory of the largest batch.",
    )
    max_batch_size: int | None = Field(
        None, ge=1, le=1024, description="Texts in one model run; default 8 on CPU and 64 on CUDA."
    )
    max_batch_tokens: int | None = Field(
        None,
        ge=512,
        le=1_048_576,
        description="Padded tokens in one model run; default 512, on CUDA 32,768.",
    )
    max_padding_tokens: int | None = Field(
        None, ge=0, le=65_536,
        description="Padding that one more text may add to a run; default 16 on CPU, 512 on CUDA.",
    )  # fmt: skip
    exact: bool = Field(
        default=False, description="One text per run: no vector depends on its neighbours (quantised models)."
    )
    max_queue_delay_ms: int = Field(
        500, ge=0, le=60_000,
        description="A document older than this gets every second run; nothing is ever held back.",
    )  # fmt: skip
    max_queued_tokens: int = Field(
        65_536, ge=512, le=16_777_216, description="Waiting tokens per model beyond which requests get 429."
    )
    max_inputs: int = Field(128, ge=1, le=2048, description="Texts or documents in one request.")
    max_body_bytes: int = Field(SAGEMAKER_BODY_BYTES, ge=1024, description="Bytes of one request's body.")
    default_deadline_ms: int = Field(
        30_000, ge=1, le=SAGEMAKER_INVOCATION_MS, description="Time for a request that brings no deadline."
    )
    max_deadline_ms: int = Field(
        55_000,
        ge=1,
        le=SAGEMAKER_INVOCATION_MS,
        description="Longest time any request gets (SageMaker: 60 s).",
    )
    forward_timeout_ms: int = Field(
        20_000,
        ge=10,
        le=600_000,
        description="A model run longer than this counts as stuck: 503, /ping fails.",
    )
    tokenizer_threads: int = Field(2, ge=1, le=64, description="Requests being tokenised at one time.")
    max_tokenizing: int = Field(
        64, ge=1, le=4096, description="Requests tokenising or waiting for it beyond which requests get 429."
    )
    drain_ms: int = Field(
        25_000,
        ge=0,
        le=110_000,
        description="After SIGTERM: time to finish what was accepted (SageMaker: 120 s).",
    )
    run_as_uid: int | None = Field(
        None, ge=1, description="Started as root, become this user; the container image sets 1000."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    @field_validator("models", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())

    @field_validator("model_paths", mode="before")
    @classmethod
    def _read_object(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value


def environment_name(field: str) -> str:
    """The environment variable of a field: `max_batch_size` is `HAYLIFT_ENDPOINT_MAX_BATCH_SIZE`."""
    return PREFIX + field.upper()


def load_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment, which is normally the process's own.

    Raises:
        StartupError: A variable with our prefix is unknown, or a value is out of its range.
    """
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    field_by_name = {environment_name(field): field for field in Settings.model_fields}
    if unknown := sorted(set(given) - set(field_by_name)):
        raise StartupError(f"unknown setting {', '.join(unknown)}; settings.schema.json lists all names")
    try:
        return Settings.model_validate({field_by_name[name]: value for name, value in given.items()})
    except ValidationError as error:
        faults = "; ".join(f"{environment_name(str(f['loc'][0]))}: {f['msg']}" for f in error.errors())
        raise StartupError(f"wrong setting: {faults}") from error


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the environment: one property per variable, with type, range, default and meaning."""
    schema = Settings.model_json_schema(mode="validation")
    schema["properties"] = {environment_name(name): spec for name, spec in schema["properties"].items()}
    schema["title"] = "Environment of haylift_endpoint"
    schema["description"] = "Every value is given as text; lists are separated by commas, objects are JSON."
    return schema
