"""Mass properties of a body in MuJoCo."""

from __future__ import annotations

import mujoco
import numpy as np

from kilogym.assets.inertia import matrix, six
from kilogym.math.quaternion import quat_from_wxyz, quat_to_matrix
from kilogym.validation.mujoco_inertia import set_inertia
from kilogym.validation.trees import random_inertia


def test_a_body_gets_its_mass_com_and_inertia():
    inertia = random_inertia(np.random.default_rng(0), 2.0)
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name="body")
    body.add_freejoint()
    set_inertia(body, 2.0, (0.1, 0.2, 0.3), inertia)
    model = spec.compile()
    turn = quat_to_matrix(quat_from_wxyz(model.body_iquat[1]))
    assert model.body_mass[1] == 2.0
    np.testing.assert_allclose(model.body_ipos[1], (0.1, 0.2, 0.3))
    np.testing.assert_allclose(turn @ np.diag(model.body_inertia[1]) @ turn.T, matrix(inertia), atol=1e-12)


def test_six_numbers_of_many():
    many = np.arange(24.0).reshape(2, 2, 6)
    assert matrix(many).shape == (2, 2, 3, 3)
    np.testing.assert_array_equal(six(matrix(many)[1, 0]), many[1, 0])
