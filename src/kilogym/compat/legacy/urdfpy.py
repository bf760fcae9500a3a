"""Stand-in for `urdfpy` (URDF files as Python objects), abandoned in 2020 and broken by networkx 3."""

from __future__ import annotations

from typing import Any

from kilogym.compat.legacy.absent import Absent


class URDF(Absent):
    """A robot read from a URDF file."""

    package = "urdfpy"
    remedy = "Its successor yourdfpy reads the same files."

    @classmethod
    def load(cls, file_obj: Any) -> URDF:
        cls._refuse()
