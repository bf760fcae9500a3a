"""The Franka-reach task; see README.md."""

from kilogym.tasks.franka_reach.task import ENTRY, FrankaReach, FrankaReachConfig

__all__ = ["ENTRY", "FrankaReach", "FrankaReachConfig"]
