"""Patch `gateway-paths`: only the path of a resource reaches it.

ministack drops empty segments and decodes `%2F` before it looks for a resource: `/v1//search`, `/v1/search/`
and `/v1%2Fsearch` reach `/v1/search`, while the authorizer's policy is compared with the path as it was sent.
API Gateway has no resource for an empty segment and keeps `%2F` inside its segment: the answer is
MISSING_AUTHENTICATION_TOKEN, which is its word for "no such route".

One slash at the end is refused here too. API Gateway's documentation does not say what it does with it; users
report that it routes such a call as if the slash were not there and hands the path on as sent. A function
whose router is exact then answers 404 by itself, which is what a caller sees here.
"""

from typing import Any

from ministack.services import apigateway_v1

from local.emulator.gateway_call import raw_path
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.apigateway_v1", ("_execute_in_scope", "_gw_error", "_stages_v1")),
]


def is_exact(path: str, raw: bytes) -> bool:
    """Whether a path below the stage has no empty segment, and the path as sent no encoded slash."""
    return "//" not in path and (path == "/" or not path.endswith("/")) and b"%2f" not in raw.lower()


def patch() -> Patch:
    """Answer a path that is not a resource's own as an unknown one."""
    execute = apigateway_v1._execute_in_scope

    async def execute_in_scope(request: dict[str, Any], api_id: str, stage_name: str, *args: Any) -> Any:
        _method, path = args[:2]
        stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
        if stage is not None and not is_exact(path, raw_path.get()):
            request["stage"] = stage
            return apigateway_v1._gw_error("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        return await execute(request, api_id, stage_name, *args)

    return Patch(
        "gateway-paths",
        "ministack matches paths that differ from the resource's",
        [Replacement(apigateway_v1, "_execute_in_scope", execute_in_scope)],
    )
