"""The emulator knows every resource type of the stage `local`; one unknown refuses a whole template."""

import copy
from collections.abc import Mapping

import pytest
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.emulator import alarm_math
from local.emulator.provisioners import STAND_INS
from tests.infra.assembly import Template, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

PATCHED_IN = {
    replacement.name
    for replacement in alarm_math.composite_patch().replacements
    if replacement.owner is _RESOURCE_HANDLERS
}
KNOWN = {*_RESOURCE_HANDLERS, *STAND_INS, *PATCHED_IN}


def unknown_types(stacks: Mapping[str, Template]) -> set[str]:
    """Resource types that neither ministack nor its extension handles; custom resources run functions."""
    types = {resource["Type"] for template in stacks.values() for resource in template["Resources"].values()}
    return {kind for kind in types - KNOWN if not kind.startswith("Custom::")}


def test_the_emulator_knows_every_type() -> None:
    assert unknown_types(templates("local")) == set()


def test_nothing_local_needs_a_function_of_cdks_own() -> None:
    types = {r["Type"] for template in templates("local").values() for r in template["Resources"].values()}

    assert {kind for kind in types if "Custom" in kind} == set()


def test_an_unknown_type_would_be_seen() -> None:
    stacks = copy.deepcopy(templates("local"))
    stacks["storage"]["Resources"]["Nat"] = {"Type": "AWS::EC2::NatGateway"}

    assert unknown_types(stacks) == {"AWS::EC2::NatGateway"}
