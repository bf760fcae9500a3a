"""Mass properties of ours on a body of a MuJoCo model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kilogym.assets.inertia import matrix
from kilogym.math.quaternion import quat_from_matrix, quat_to_wxyz


def set_inertia(body: Any, mass: float, com: ArrayLike, inertia: ArrayLike) -> None:
    """Give an MjsBody its mass [kg], com [m] and inertia about the com, xx yy zz xy xz yz [kg m^2]."""
    moments, axes = np.linalg.eigh(matrix(inertia))
    axes[:, 2] *= np.sign(np.linalg.det(axes))
    body.explicitinertial = True
    body.mass, body.ipos, body.inertia = float(mass), com, moments
    body.iquat = quat_to_wxyz(quat_from_matrix(axes))
