"""Commands that are shown lead to the deployment that was asked about."""

from argparse import Namespace

import pytest

from ops.at_hand import at_hand

OPS = "python -m ops"
STATUS = f"{OPS} status"


@pytest.mark.parametrize(
    ("options", "text", "shown"),
    [
        ({}, STATUS, STATUS),
        ({"state_dir": "/srv"}, f"{STATUS} --stage local", f"{OPS} --state-dir /srv status --stage local"),
        ({"stage": "dev"}, STATUS, "python -m ops --stage dev status"),
        ({"stage": "dev", "state_dir": "/srv/h"}, f"{STATUS} --stage dev", f"{STATUS} --stage dev"),
        ({"stage": "dev", "region": "eu-west-1"}, STATUS, f"{OPS} --stage dev --region eu-west-1 status"),
        ({"state_dir": "/srv/h"}, "aws lambda list-functions", "aws lambda list-functions"),
    ],
)  # fmt: skip
def test_a_command_names_what_is_not_the_default(options: dict[str, str], text: str, shown: str) -> None:
    where = {"stage": "local", "state_dir": ".local", "region": None} | options

    assert at_hand(text, Namespace(**where)) == shown
