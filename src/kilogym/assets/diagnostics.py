"""Collects what an importer left out, and says each thing once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

from kilogym.assets.errors import AssetWarning, place


@dataclass
class _Note:
    message: str
    file: str
    line: int | None
    count: int = 1


@dataclass
class Diagnostics:
    """The notes of one import. Notes of the same key are counted, not repeated."""

    notes: dict[str, _Note] = field(default_factory=dict)

    def note(self, message: str, file: str = "", line: int | None = None, key: str = "") -> None:
        """Record one thing; `key` says which notes are the same, by default those of equal message."""
        known = self.notes.get(key or message)
        if known is not None:
            known.count += 1
        else:
            self.notes[key or message] = _Note(message, file, line)

    def ignored_element(self, tag: str, file: str, line: int | None, why: str = "", context: str = "") -> None:
        """Record that an element was not used."""
        inside = f" in <{context}>" if context else ""
        self.note(f"<{tag}>{inside} is ignored{': ' + why if why else ''}", file, line)

    def ignored_attribute(self, tag: str, attribute: str, file: str, line: int | None, why: str = "") -> None:
        """Record that an attribute was not used."""
        self.note(f"attribute '{attribute}' of <{tag}> is ignored{': ' + why if why else ''}", file, line)

    def messages(self) -> tuple[str, ...]:
        """All notes in the order they came, with place and count."""
        out = []
        for note in self.notes.values():
            where = place(note.file, note.line)
            times = f" ({note.count} times, here first)" if note.count > 1 else ""
            out.append(f"{where}: {note.message}{times}" if where else f"{note.message}{times}")
        return tuple(out)

    def emit(self, stacklevel: int = 2) -> tuple[str, ...]:
        """Warn of every note once (category AssetWarning) and return the messages."""
        messages = self.messages()
        for message in messages:
            warnings.warn(message, AssetWarning, stacklevel=stacklevel + 1)
        return messages
