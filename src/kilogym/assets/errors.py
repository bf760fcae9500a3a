"""What goes wrong with a file, said so that its author can mend it."""

from __future__ import annotations


class AssetError(ValueError):
    """A file that cannot be imported.

    Args:
        message: What is wrong, one sentence.
        file: Path of the file.
        line: Line in that file, from 1.
        element: The element or name concerned, such as `joint 'hip'`.
        expected: What would have been right.
        got: What the file says.
        hint: What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        line: int | None = None,
        element: str = "",
        expected: str = "",
        got: str = "",
        hint: str = "",
    ) -> None:
        self.message, self.file, self.line, self.element = message, file, line, element
        self.expected, self.got, self.hint = expected, got, hint
        where = place(file, line)
        text = f"{where}: {message}" if where else message
        text += f" (in {element})" if element else ""
        for label, value in (("expected", expected), ("got", got), ("what to do", hint)):
            text += f"\n  {label}: {_shorten(value)}" if value else ""
        super().__init__(text)


class AssetWarning(UserWarning):
    """Something in a file is not used, or used otherwise than written."""


def place(file: str, line: int | None) -> str:
    """`file:line`, as far as known."""
    return f"{file}:{line}" if file and line else file


def _shorten(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
