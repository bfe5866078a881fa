"""Findings of the AwsSolutions rules that are right for one construct, each with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

PACK = "AwsSolutions"
LEAST_REASON_CHARACTERS = 30


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accepts one finding of one construct (and of its children; give the smallest construct).

    Args:
        rule: without the pack's prefix, for example `S1` or `IAM5[Resource::*]`.
        reason: at least 30 characters that say why it is right here.
    """
    if len(reason) < LEAST_REASON_CHARACTERS:
        raise ValueError(f"{rule}: the reason {reason!r} is too short to be one")
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{PACK}::{PACK}-{rule}", reason=reason))
