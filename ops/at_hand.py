"""Commands that can be pasted: they name the stage, the region or the state folder of the deployment."""

import shlex
from argparse import Namespace

from ops.deployment import DEFAULT_STATE_DIR, LOCAL_STAGE
from ops.diagnosis import OPS


def at_hand(text: str, options: Namespace) -> str:
    """`text` with every command of ours leading to the deployment that `options` name.

    >>> at_hand("python -m ops status", Namespace(stage="local", state_dir="/srv/h", region=None))
    'python -m ops --state-dir /srv/h status'
    """
    return text.replace(OPS, OPS + _where(options, text))


def _where(options: Namespace, text: str) -> str:
    if options.stage == LOCAL_STAGE:
        is_usual = options.state_dir == DEFAULT_STATE_DIR
        return "" if is_usual else f" --state-dir {shlex.quote(options.state_dir)}"
    # An alarm's own commands name their stage already.
    stage = "" if f"--stage {options.stage}" in text else f" --stage {options.stage}"
    return stage + (f" --region {options.region}" if options.region else "")
