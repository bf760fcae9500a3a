"""The ANYmal task on rough ground; see README.md."""

from kilogym.tasks.anymal_rough.task import ENTRY, AnymalRough, AnymalRoughConfig

__all__ = ["ENTRY", "AnymalRough", "AnymalRoughConfig"]
