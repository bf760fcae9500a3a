"""The Cartpole task; see README.md."""

from kilogym.tasks.cartpole.task import ENTRY, Cartpole, CartpoleConfig

__all__ = ["ENTRY", "Cartpole", "CartpoleConfig"]
