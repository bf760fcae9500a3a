"""The Allegro-cube task; see README.md."""

from kilogym.tasks.allegro_cube.task import ENTRY, AllegroCube, AllegroCubeConfig

__all__ = ["ENTRY", "AllegroCube", "AllegroCubeConfig"]
