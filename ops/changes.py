"""What an operator changed, in the audit; a change that the audit does not have is said to be so."""

from botocore.exceptions import BotoCoreError, ClientError
from haylift.audit import Outcome
from haylift.domain.errors import HayliftError

from ops import audit
from ops.deployment import Deployment
from ops.faults import OpsFault


def audited(deployment: Deployment, action: str, resource: str, *, done: str, tenant: str = "") -> None:
    """Keeps the record of a change that is made. A fault of the audit must not hinder help in an outage.

    Args:
        done: the change in words, for the operator whose change has no record.

    Raises:
        OpsFault: `not_audited`; the change stands.
    """
    try:
        audit.record(deployment, action, resource, Outcome.ALLOWED, tenant=tenant)
    except (OpsFault, HayliftError, ClientError, BotoCoreError) as fault:
        why = fault.detail if isinstance(fault, OpsFault | HayliftError) else str(fault)
        detail = f"{done}, but the audit does not have it ({why.rstrip('.')}); note it by hand."
        raise OpsFault("not_audited", detail) from fault
