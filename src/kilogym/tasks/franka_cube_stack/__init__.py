"""The Franka-cube-stack task; see README.md."""

from kilogym.tasks.franka_cube_stack.task import ENTRY, FrankaCubeStack, FrankaCubeStackConfig

__all__ = ["ENTRY", "FrankaCubeStack", "FrankaCubeStackConfig"]
