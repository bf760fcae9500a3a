"""The ball-balance task; see README.md."""

from kilogym.tasks.ball_balance.task import ENTRY, BallBalance, BallBalanceConfig

__all__ = ["ENTRY", "BallBalance", "BallBalanceConfig"]
