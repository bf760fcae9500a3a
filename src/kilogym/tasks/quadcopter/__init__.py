"""The quadcopter task; see README.md."""

from kilogym.tasks.quadcopter.task import ENTRY, Quadcopter, QuadcopterConfig

__all__ = ["ENTRY", "Quadcopter", "QuadcopterConfig"]
