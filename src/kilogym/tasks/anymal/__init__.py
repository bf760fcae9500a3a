"""The ANYmal task on flat ground; see README.md."""

from kilogym.tasks.anymal.task import ENTRY, Anymal, AnymalConfig

__all__ = ["ENTRY", "Anymal", "AnymalConfig"]
