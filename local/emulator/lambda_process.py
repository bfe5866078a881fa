"""The process of a Python function: what it is started with, and what it may see."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any

from ministack.services import lambda_svc

from local.emulator.configuration import CONFIGURATION
from local.emulator.lambda_archives import ArchiveFolders
from local.emulator.lambda_log import LogStream
from local.emulator.patching import Needs

NEEDS = [
    Needs(
        "ministack.services.lambda_svc",
        (
            "_provided_worker_env",
            "_resolve_layer_zip",
            "_runtime_env_vars",
            "_run_with_function_config_scope",
        ),
    )
]
ARCHIVES = ArchiveFolders(CONFIGURATION.archive_cache, CONFIGURATION.runtime_python)
_ENTRY = Path(__file__).with_name("lambda_entry.py")
_OTHER_RESERVED = {"_HANDLER", "LAMBDA_TASK_ROOT", "AWS_DISABLE_HOST_PREFIX_INJECTION"}
_FROM_MINISTACK = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")


def new_scratch_folder(function_name: str) -> Path:
    """A folder that stands for the `/tmp` of one execution environment."""
    return Path(tempfile.mkdtemp(prefix=f"{function_name[:40]}-", dir=CONFIGURATION.scratch))


def start_process(
    config: dict[str, Any], code_zip: bytes, port: int, scratch: Path, stream: LogStream
) -> "tuple[subprocess.Popen[bytes], IO[bytes]]":
    """Start the runtime client against the Runtime API on `port`; returns it and its output.

    Its standard input stays open until this process ends: the end of it is what ends the function.
    """
    code = ARCHIVES.folder_of(code_zip)
    words = [CONFIGURATION.runtime_python, "-P", _ENTRY, config["Handler"], code, *_layer_paths(config)]
    environment = _environment(config, code, port, scratch, stream)
    process = subprocess.Popen(
        [str(word) for word in words], cwd=code, env=environment, bufsize=0,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout


def _layer_paths(config: dict[str, Any]) -> list[Path]:
    """Where the layers' packages are; a later layer wins, as in the merged /opt."""
    zips = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers", [])]
    folders = [ARCHIVES.folder_of(content) for content in reversed(zips) if content]
    inside = ("python", f"python/lib/{config['Runtime']}/site-packages")
    return [folder / name for folder in folders for name in inside if (folder / name).is_dir()]


def _environment(
    config: dict[str, Any], code: Path, port: int, scratch: Path, stream: LogStream
) -> dict[str, str]:  # fmt: skip
    """Lambda's reserved variables, the function's own, and where the services are on this machine."""
    whole: dict[str, str] = lambda_svc._provided_worker_env(config, str(code), port)
    reserved = {
        name: value for name, value in whole.items()
        if name in _OTHER_RESERVED or (name.startswith("AWS_") and name not in os.environ)
    }  # fmt: skip
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC",
        # Lambda's home folder cannot be written; nothing can be made under /dev/null, not even by root.
        "HOME": "/dev/null",
        "TMPDIR": str(scratch),
        **reserved,
        **{name: whole[name] for name in _FROM_MINISTACK},
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": stream.group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream.name,
        # The archives are shared and must stay as they are.
        "PYTHONDONTWRITEBYTECODE": "1",
        **lambda_svc._runtime_env_vars(config),
        **CONFIGURATION.service_addresses,
    }  # fmt: skip
