"""What a running system tells its users: `outputs.json`, and the text at the end of `up`."""

import json
import shlex
from collections.abc import Sequence

from local.deployment import Deployment
from local.faults import LocalFault
from local.ports import HOST
from local.seeding import User, as_records
from local.services import MODEL_ENDPOINT_NAME, REGION

NEEDED = ("RestApiId", "ApiStageName", "UploadBucketName", "OnCallInboxUrl")


def write_outputs(deployment: Deployment, users: Sequence[User]) -> dict[str, object]:
    """Write `outputs.json` and return its content; `LocalFault` when the stacks lack one."""
    outputs = deployment.outputs()
    missing = [key for key in NEEDED if key not in outputs]
    if missing:
        raise LocalFault(
            f"The stacks give no output {', '.join(missing)}; see {deployment.layout.stack_outputs}."
        )
    if outputs.get("EmbedEndpointName", MODEL_ENDPOINT_NAME) != MODEL_ENDPOINT_NAME:
        raise LocalFault(
            f"The stacks call the model endpoint {outputs['EmbedEndpointName']}, local/services.py does not."
        )
    content: dict[str, object] = {
        "api_url": f"{deployment.address}/_aws/execute-api/{outputs['RestApiId']}/{outputs['ApiStageName']}",
        "aws_endpoint_url": deployment.address,
        "region": REGION,
        "upload_bucket": outputs["UploadBucketName"],
        "model_endpoint_url": f"http://{HOST}:{deployment.ports.model}",
        "sagemaker_runtime_url": f"http://{HOST}:{deployment.ports.runtime}",
        "users": as_records(users),
        "on_call_inbox": outputs["OnCallInboxUrl"],
        "outputs": outputs,
    }
    file = deployment.layout.outputs
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(file)
    return content


def print_guide(content: dict[str, object], users: Sequence[User], outputs_file: str) -> None:
    """Print addresses, logins and commands to paste."""
    reader = next(user for user in users if user.role == "reader")
    api = content["api_url"]
    login = shlex.quote(json.dumps({"username": reader.username, "password": reader.password}))
    question = shlex.quote(json.dumps({"query": "How do I upload a document?"}))
    print(f"\nHaylift is up. All of this is in {outputs_file} too.\n")
    print(f"  HTTP API        {api}")
    print(f"  AWS APIs        {content['aws_endpoint_url']}   (region {content['region']}, any credentials)")
    print(f"  upload bucket   {content['upload_bucket']}   (documents/<tenant>/<path>)")
    print(f"  model endpoint  {content['model_endpoint_url']}")
    print(f"  on-call inbox   {content['on_call_inbox']}\n")
    print("  login            password           tenant   role")
    for user in users:
        print(f"  {user.username:16} {user.password:18} {user.tenant:8} {user.role}")
    json_type = "-H 'Content-Type: application/json'"
    pick = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])'"
    print("\nTo paste:\n")
    print(f"  API={api}")
    print(f"  TOKEN=$(curl -s $API/v1/auth/login {json_type} -d {login} | {pick})")
    for path, field in (("search", "query"), ("query", "text")):
        question = json.dumps({field: "How do I upload a document?"})
        print(f'  curl -s $API/v1/{path} -H "Authorization: Bearer $TOKEN" {json_type} -d {question}')
    print("  curl -s $API/health\n")
    print('  .venv/bin/python -m ops ask "How do I upload a document?"')
    print("  .venv/bin/python -m ops upload FILE_OR_FOLDER --tenant acme\n")
    print("make down stops it, make clean removes its state.")
