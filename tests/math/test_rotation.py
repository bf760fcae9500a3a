"""Rotations for torch agree with those for numpy, and are what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from kilogym.math import quaternion, rotation


@pytest.fixture(scope="module")
def numbers() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    q = rotation.uniform_quat(torch.rand(2, 500, 3, generator=generator, dtype=torch.float64))
    return q[0], q[1], torch.randn(500, 3, generator=generator, dtype=torch.float64)


def test_they_agree_with_numpy(numbers) -> None:
    a, b, v = numbers
    np.testing.assert_allclose(rotation.quat_mul(a, b), quaternion.quat_mul(a, b), atol=1e-14)
    np.testing.assert_allclose(rotation.quat_conj(a), quaternion.quat_conj(a))
    np.testing.assert_allclose(rotation.quat_rotate(a, v), quaternion.quat_rotate(a, v), atol=1e-14)
    np.testing.assert_allclose(rotation.quat_rotate_inverse(a, v), quaternion.quat_rotate_inverse(a, v), atol=1e-14)
    for k in range(3):
        want = quaternion.quat_from_axis_angle(np.eye(3)[k], v[:, 0])
        np.testing.assert_allclose(rotation.quat_about(k, v[:, 0]), want, atol=1e-14)


def test_one_vector_serves_many_rotations_and_the_other_way_round(numbers) -> None:
    a, _, v = numbers
    np.testing.assert_allclose(rotation.quat_rotate(a, v[0]), quaternion.quat_rotate(a, v[:1]), atol=1e-14)
    np.testing.assert_allclose(rotation.quat_rotate(a[0], v), quaternion.quat_rotate(a[:1], v), atol=1e-14)


def test_world_up_is_world_z_seen_from_the_body(numbers) -> None:
    a, _, _ = numbers
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    np.testing.assert_allclose(rotation.world_up(a), rotation.quat_rotate_inverse(a, up), atol=1e-14)


@pytest.mark.parametrize(("turn", "angle"), [(0.3, 0.3), (-0.3, 0.3), (math.pi, math.pi), (5.0, 2 * math.pi - 5.0)])
def test_angle_is_the_short_way_round(turn: float, angle: float) -> None:
    q = rotation.quat_about(1, torch.tensor(turn, dtype=torch.float64))
    assert rotation.quat_angle(q).item() == pytest.approx(angle)
    assert rotation.quat_angle(-q).item() == pytest.approx(angle)


def test_uniform_rotations_are_unit_and_point_everywhere_alike(numbers) -> None:
    a, b, _ = numbers
    q = torch.cat([a, b])
    np.testing.assert_allclose(q.norm(dim=-1), 1.0, atol=1e-14)
    turned = rotation.quat_rotate(q, torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))
    # each coordinate of a point on the sphere is uniform in [-1, 1]: mean 0, variance 1/3; 5 standard errors of 1000
    assert turned.mean(0).abs().max() < 5 * math.sqrt(1 / 3 / 1000)
    assert (turned.var(0) - 1 / 3).abs().max() < 5 * math.sqrt((1 / 5 - 1 / 9) / 1000)
