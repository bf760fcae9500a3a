"""The Ant task; see README.md."""

from kilogym.tasks.ant.task import ENTRY, Ant, AntConfig

__all__ = ["ENTRY", "Ant", "AntConfig"]
