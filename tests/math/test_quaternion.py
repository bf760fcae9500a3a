"""Quaternions and transforms, against hand values, scipy and the group laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from kilogym.math import quaternion as q

ANGLE = st.floats(-np.pi, np.pi)


@st.composite
def quaternions(draw) -> np.ndarray:
    """Of any length from 0.1 to 2, in Hopf coordinates."""
    tilt, a, b, length = draw(ANGLE), draw(ANGLE), draw(ANGLE), draw(st.floats(0.1, 2))
    return length * np.array([
        np.cos(tilt) * np.cos(a), np.cos(tilt) * np.sin(a), np.sin(tilt) * np.cos(b), np.sin(tilt) * np.sin(b),
    ])  # fmt: skip


VECTOR = arrays(np.float64, 3, elements=st.floats(-10, 10))


def test_quarter_turn_about_z_takes_x_to_y():
    turn = q.quat_from_axis_angle([0, 0, 2], np.pi / 2)
    np.testing.assert_allclose(turn, [0, 0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-15)
    np.testing.assert_allclose(q.quat_rotate(turn, [1, 0, 0]), [0, 1, 0], atol=1e-15)


@given(quaternions(), quaternions(), VECTOR)
def test_products_rotations_and_matrices_agree_with_scipy(a, b, v):
    a, b = q.quat_normalize(a), q.quat_normalize(b)
    ra, rb = Rotation.from_quat(a), Rotation.from_quat(b)
    np.testing.assert_allclose(q.quat_to_matrix(q.quat_mul(a, b)), (ra * rb).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(q.quat_rotate(a, v), ra.apply(v), atol=1e-12)
    np.testing.assert_allclose(q.quat_rotate_inverse(a, v), ra.inv().apply(v), atol=1e-12)
    back = q.quat_from_matrix(ra.as_matrix())
    assert back[3] >= 0
    np.testing.assert_allclose(q.quat_to_matrix(back), ra.as_matrix(), atol=1e-12)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, 0.8, 0)])
def test_half_turns_survive_the_matrix(axis):
    turn = q.quat_from_axis_angle(axis, np.pi)
    back = q.quat_from_matrix(q.quat_to_matrix(turn))
    np.testing.assert_allclose(abs(back @ turn), 1.0, atol=1e-12)


@given(VECTOR)
def test_rpy_is_fixed_axes_xyz(rpy):
    np.testing.assert_allclose(
        q.quat_to_matrix(q.quat_from_rpy(*rpy)), Rotation.from_euler("xyz", rpy).as_matrix(), atol=1e-12
    )


@given(quaternions(), quaternions(), VECTOR, VECTOR, VECTOR)
def test_transforms_compose_and_invert(qa, qb, pa, pb, point):
    a, b = (pa, q.quat_normalize(qa)), (pb, q.quat_normalize(qb))
    once = q.transform_point(q.transform_compose(a, b), point)
    np.testing.assert_allclose(once, q.transform_point(a, q.transform_point(b, point)), atol=1e-10)
    np.testing.assert_allclose(
        q.transform_point(q.transform_inverse(a), q.transform_point(a, point)), point, atol=1e-10
    )


def test_batches_give_what_single_calls_give():
    rng = np.random.default_rng(0)
    a, v = q.quat_normalize(rng.normal(size=(5, 4))), rng.normal(size=(5, 3))
    np.testing.assert_array_equal(q.quat_rotate(a, v)[3], q.quat_rotate(a[3], v[3]))
    np.testing.assert_array_equal(q.quat_to_matrix(a)[2], q.quat_to_matrix(a[2]))
    np.testing.assert_allclose(q.quat_from_matrix(q.quat_to_matrix(a))[4], q.quat_from_matrix(q.quat_to_matrix(a[4])))
    assert q.quat_from_axis_angle(v, np.arange(5.0)).shape == (5, 4)
    assert q.quat_from_rpy(*v.T).shape == (5, 4)


def test_normalize_of_extremes():
    np.testing.assert_allclose(q.quat_normalize([0, 0, 0, 0]), [0, 0, 0, 1])
    np.testing.assert_allclose(q.quat_normalize([0, 0, 3e200, 4e200]), [0, 0, 0.6, 0.8])


def test_mujoco_has_w_first():
    np.testing.assert_array_equal(q.quat_from_wxyz([4, 1, 2, 3]), [1, 2, 3, 4])
    np.testing.assert_array_equal(q.quat_to_wxyz([[1, 2, 3, 4], [5, 6, 7, 8]]), [[4, 1, 2, 3], [8, 5, 6, 7]])
