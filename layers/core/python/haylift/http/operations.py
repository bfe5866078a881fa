"""How a route is described: what it answers, with which statuses, and examples that work.

The descriptions become the OpenAPI document (`python -m local.api_reference`), which adds what is the same
for all routes: answers of the gateway, who may call, and the headers of every answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from haylift.headers import PROBLEM_TYPE


class AnswerModel(BaseModel):
    """The body of an answer. What is not named here is not answered."""

    model_config = ConfigDict(extra="forbid")


class ProblemPlace(AnswerModel):
    """One fault of a request."""

    where: str = Field(description="The place, for example `filters.conditions[0]`; empty: the whole.")
    detail: str = Field(description="What is wrong there.")


class Problem(BaseModel):
    """A failure (RFC 9457). Programs go by `code`, which never changes; people read `detail`."""

    type: str = Field(description="`urn:haylift:problem:<code>`.")
    title: str = Field(description="The kind of failure.")
    status: int | None = Field(None, description="The HTTP status; left out where only the gateway knows it.")
    detail: str = Field(description="One sentence that says what to do.")
    code: str = Field(description="A stable name.", pattern="^[a-z][a-z0-9_]*$")
    request_id: str = Field(description="Quote it when you report the failure.")
    errors: list[ProblemPlace] | None = Field(None, description="The places of the faults, at most 20.")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One status that is no failure (or a failure with a body of its own).

    Args:
        model: the body; None for no body.
        media_type: what the body is called.
        content: schema or examples of a body that is not JSON.
    """

    description: str
    model: type[BaseModel] | None = None
    example: object = None
    media_type: str = "application/json"
    content: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_response(self) -> dict[str, Any]:
        """What FastAPI calls a response."""
        response: dict[str, Any] = {"description": self.description}
        if self.model is not None:
            response["model"] = self.model
        content = dict(self.content) | ({} if self.example is None else {"example": self.example})
        if content:
            response["content"] = {self.media_type: content}
        if self.headers:
            response["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in self.headers.items()
            }
        return response


def operation(
    *,
    tag: str,
    summary: str,
    description: str,
    answers: Mapping[int, Answered],
    problems: Mapping[int, str] | None = None,
    examples: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The keyword arguments of a FastAPI route.

    Args:
        answers: by status; the first one is the success.
        problems: further failures by status: in one sentence, with their codes.
        examples: bodies of requests that work, by the sentence that introduces them.
    """
    responses: dict[int, dict[str, Any]] = {
        status: answer.as_response() for status, answer in answers.items()
    }
    for status, text in (problems or {}).items():
        own = responses.setdefault(status, {})
        own["description"] = text
        own["content"] = own.get("content", {}) | {PROBLEM_TYPE: {"schema": PROBLEM_REFERENCE}}
    extra: dict[str, Any] = {}
    if examples:
        named = {
            f"example{place}": {"summary": text, "value": value}
            for place, (text, value) in enumerate(examples.items(), start=1)
        }
        extra = {"requestBody": {"content": {"application/json": {"examples": named}}}}
    return {
        "tags": [tag],
        "summary": summary,
        "description": description,
        "status_code": next(iter(answers)),
        "responses": responses,
        "openapi_extra": extra or None,
    }


PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}
