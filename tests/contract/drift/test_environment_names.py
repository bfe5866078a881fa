"""Lock 1: a stack sets exactly the variables that the function's settings have."""

import copy
import dataclasses

import pytest
from haylift.settings import PREFIX, read_settings, variable_name

from stacks.function import FIXED_VARIABLES
from tests.contract.drift.contracts import contract_of, function_names
from tests.infra.assembly import STAGES, Resource, functions, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

MAX_ENVIRONMENT_BYTES = 4096
"""Lambda's limit; the emulator does not enforce it."""


def environment_faults(name: str, function: Resource) -> list[str]:
    """Variables that are set and not in the settings, or the other way round."""
    variables = function["Environment"]["Variables"]
    fields = {variable_name(field.name) for field in dataclasses.fields(contract_of(name).Settings)}
    own = {variable for variable in variables if variable.startswith(PREFIX)}
    fixed = set(variables) - own
    return [
        *(f"{name}: {variable} is in no settings" for variable in sorted(own - fields)),
        *(f"{name}: {variable} is not set" for variable in sorted(fields - own)),
        *(f"{name}: {variable} is unknown" for variable in sorted(fixed ^ set(FIXED_VARIABLES))),
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_every_variable_is_a_setting_and_every_setting_a_variable(stage: str) -> None:
    deployed = functions(templates(stage), stage)

    assert sorted(deployed) == function_names()
    assert [fault for name, f in deployed.items() for fault in environment_faults(name, f)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_variables_are_read_back_as_settings(stage: str) -> None:
    for name, function in functions(templates(stage), stage).items():
        variables = function["Environment"]["Variables"]
        # What CloudFormation fills in is text; every text field takes any.
        texts = {key: value if isinstance(value, str) else "filled-in" for key, value in variables.items()}

        settings = read_settings(contract_of(name).Settings, texts)

        assert settings.stage == stage
        assert sum(len(key) + len(value) for key, value in texts.items()) < MAX_ENVIRONMENT_BYTES / 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"HAYLIFT_TIMEOUT": "3"}, ["auth: HAYLIFT_TIMEOUT is in no settings"]),
        ({"HAYLIFT_ISSUER": None}, ["auth: HAYLIFT_ISSUER is not set"]),
        ({"POWERTOOLS_SERVICE_NAME": "auth"}, ["auth: POWERTOOLS_SERVICE_NAME is unknown"]),
    ],
)
def test_a_drifted_variable_would_be_seen(fault: dict[str, str | None], expected: list[str]) -> None:
    function = copy.deepcopy(functions(templates("dev"), "dev")["auth"])
    variables = function["Environment"]["Variables"]
    variables.update(fault)
    function["Environment"]["Variables"] = {k: v for k, v in variables.items() if v is not None}

    assert environment_faults("auth", function) == expected
