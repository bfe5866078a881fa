"""Settings of a function: a frozen dataclass, read once from the environment at cold start.

A stack builds the same dataclass and turns it into environment variables, so that it can neither
set a name that does not exist nor leave out one that is needed.
"""

import dataclasses
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, get_type_hints

PREFIX = "HAYLIFT_"
ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
"""An origin as browsers send it: scheme, lower-case host, port unless it is the scheme's own; no slash."""


class SettingsError(Exception):
    """The environment does not fit the settings; the message names every variable at fault."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommonSettings:
    """What every function knows.

    Args:
        stage: `local`, `dev` or `prod`.
        log_level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
    """

    environment_prefix: ClassVar[str] = PREFIX

    stage: str
    log_level: str = "INFO"


@dataclasses.dataclass(frozen=True, kw_only=True)
class HttpSettings(CommonSettings):
    """What every function behind the API knows.

    Args:
        allowed_origins: web origins whose pages may call the API (`https://app.example.com`).
        trusted_hosts: values of the Host header that are answered (`*.example.com`: every subdomain);
            empty: the gateway decides alone.

    Raises:
        SettingsError: for an origin that no browser would send; `*` is none: name each origin.
    """

    allowed_origins: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for origin in self.allowed_origins:
            if not ORIGIN.fullmatch(origin):
                raise SettingsError(
                    f"allowed_origins: {origin!r} is no origin; write https://host or http://host:port"
                )


def variable_name(field_name: str) -> str:
    """The environment variable of a field.

    >>> variable_name("users_table")
    'HAYLIFT_USERS_TABLE'
    """
    return PREFIX + field_name.upper()


def to_environment(settings: CommonSettings) -> dict[str, str]:
    """The environment variables that `read_settings` turns into equal settings again."""
    return {
        variable_name(field.name): _to_text(getattr(settings, field.name))
        for field in dataclasses.fields(settings)
    }


def read_settings[S: CommonSettings](kind: type[S], environment: Mapping[str, str]) -> S:
    """Reads settings of `kind` from environment variables.

    Raises:
        SettingsError: names every missing and every malformed variable at once.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in dataclasses.fields(kind):
        name = variable_name(field.name)
        if name not in environment:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                faults.append(f"{name} is missing")
            continue
        try:
            values[field.name] = _from_text(environment[name], hints[field.name])
        except ValueError:
            faults.append(f"{name} is not {_type_name(hints[field.name])}")
    if faults:
        raise SettingsError(f"{kind.__module__}: " + "; ".join(faults))
    return kind(**values)


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(_to_text(item) for item in value)
    return str(value)


def _from_text(text: str, kind: Any) -> object:
    if kind is bool:
        return _to_bool(text)
    if kind in (int, float, str) or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(text)
    if kind == tuple[str, ...]:
        return tuple(part for part in text.split(",") if part)
    raise TypeError(f"settings cannot hold {kind}")


def _to_bool(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


def _type_name(kind: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number"}
    return names.get(kind, f"a {getattr(kind, '__name__', kind)}")
