"""The Humanoid task; see README.md."""

from kilogym.tasks.humanoid.task import ENTRY, Humanoid, HumanoidConfig

__all__ = ["ENTRY", "Humanoid", "HumanoidConfig"]
