"""What a patch of the emulator is, and how it is checked, applied and taken back."""

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from typing import Any

MINISTACK_VERSION = "1.5.33"
_ABSENT = object()


class EmulatorMismatch(Exception):
    """The installed ministack is not the one these patches were written for."""


@dataclass
class Replacement:
    """One name of a ministack module (or key of one of its tables) and what takes its place."""

    owner: Any
    name: str
    new: Any
    _original: Any = field(default=_ABSENT, init=False, repr=False)

    def apply(self) -> None:
        """Put the new value in place; remembers the original."""
        if isinstance(self.owner, MutableMapping):
            self._original = self.owner.get(self.name, _ABSENT)
            self.owner[self.name] = self.new
        else:
            self._original = getattr(self.owner, self.name)
            setattr(self.owner, self.name, self.new)

    def revert(self) -> None:
        """Put the original back."""
        if not isinstance(self.owner, MutableMapping):
            setattr(self.owner, self.name, self._original)
        elif self._original is _ABSENT:
            self.owner.pop(self.name, None)
        else:
            self.owner[self.name] = self._original


@dataclass
class Patch:
    """One corrected behaviour: a name, why it is needed, and the replacements that make it."""

    name: str
    why: str
    replacements: Sequence[Replacement]
    is_applied: bool = field(default=False, init=False)

    def apply(self) -> None:
        """Switch the corrected behaviour on; harmless when it is on."""
        if not self.is_applied:
            for replacement in self.replacements:
                replacement.apply()
            self.is_applied = True

    def revert(self) -> None:
        """Switch back to ministack's own behaviour; what a seeded-fault test does."""
        if self.is_applied:
            for replacement in reversed(self.replacements):
                replacement.revert()
            self.is_applied = False


@dataclass(frozen=True)
class Needs:
    """Names that a patch finds in one ministack module."""

    module: str
    names: tuple[str, ...]

    def missing(self) -> Iterable[str]:
        """The names that are not there."""
        found = import_module(self.module)
        return [f"{self.module}.{name}" for name in self.names if not hasattr(found, name)]


def check_ministack(needs: Iterable[Needs]) -> None:
    """Raise `EmulatorMismatch`, listing everything, unless the pinned version with all names is installed."""
    installed = version("ministack")
    if installed != MINISTACK_VERSION:
        raise EmulatorMismatch(
            f"ministack {installed} is installed, local/emulator/ patches {MINISTACK_VERSION}. "
            f"Run `make setup`; to move to another version, port the patches and their tests first."
        )
    missing = [name for need in needs for name in need.missing()]
    if missing:
        raise EmulatorMismatch(
            f"ministack {installed} lacks names that local/emulator/ patches: {', '.join(missing)}"
        )


PatchFactory = Callable[[], Patch]
