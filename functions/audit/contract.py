"""Keeps the audit records that the functions write into their logs."""

from dataclasses import dataclass

from haylift.settings import CommonSettings


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the audit function.

    Args:
        audit_bucket: takes one object per delivery; with Object Lock in prod.
        audit_log_group: shows the same records to people.
    """

    audit_bucket: str
    audit_log_group: str
