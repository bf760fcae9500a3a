"""Cameras: their frames, projections and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from kilogym.viewer import Camera, FollowCamera, ease


def test_basis_is_right_handed_and_upright():
    right, up, forward = Camera((0.0, -3.0, 0.0), (0.0, 0.0, 0.0)).basis()
    assert np.allclose([right, up, forward], [(1, 0, 0), (0, 0, 1), (0, 1, 0)])


def test_projection_of_known_points():
    camera = Camera((0.0, -2.0, 0.0), (0.0, 0.0, 0.0), fov=90.0)
    pixels = camera.project(np.array([(0, 0, 0), (0, 0, 2), (2, 0, 0), (0, -4, 0)], dtype=float), 40, 20)
    assert np.allclose(pixels[0], (20, 10, 2))
    assert np.allclose(pixels[1], (20, 0, 2))  # 45 degrees up: the top edge
    assert np.allclose(pixels[2], (30, 10, 2))
    assert pixels[3, 2] == pytest.approx(-2.0)


@pytest.mark.parametrize(("up", "eye"), [("z", (0.0, 2.0, 0.0)), ("y", (2.0, 0.0, 0.0))])
def test_orbit_turns_counter_clockwise_about_up(up, eye):
    assert np.allclose(Camera.orbit((0, 0, 0), 2.0, 90.0, 0.0, up=up).eye, eye)
    high = Camera.orbit((0, 0, 0), 2.0, 10.0, 30.0, up=up)
    assert high.eye["xyz".index(up)] == pytest.approx(1.0)


def test_from_pose_looks_along_x():
    half = np.sqrt(0.5)
    camera = Camera.from_pose((1, 2, 3), (0, 0, half, half))  # 90 degrees about z
    assert np.allclose(camera.target, (1, 3, 3))
    assert np.allclose(camera.up, (0, 0, 1))


def test_blend_and_move():
    a, b = Camera((0, -2, 0), (0, 0, 0), fov=30), Camera((0, -4, 2), (0, 2, 0), fov=50)
    assert a.blend(b, 0.0) == a
    assert a.blend(b, 1.0) == b
    assert a.blend(b, 0.5).eye == (0.0, -3.0, 1.0)
    assert a.blend(b, 0.5).fov == 40
    assert a.moved((1, 0, 0)).target == (1.0, 0.0, 0.0)


def test_ease_is_a_monotone_map_of_the_unit_interval():
    values = [ease(s) for s in np.linspace(-0.5, 1.5, 101)]
    assert values[0] == 0.0
    assert values[-1] == 1.0
    assert (np.diff(values) >= 0).all()
    assert ease(0.5) == pytest.approx(0.5)


def test_follow_closes_in_with_its_time_constant():
    start = Camera((0, -3, 1), (0, 0, 0))
    camera = FollowCamera(start, lag=0.5).update((1, 0, 0), dt=0.5)
    assert camera.target[0] == pytest.approx(1 - np.exp(-1))
    assert np.allclose(np.subtract(camera.eye, camera.target), (0, -3, 1))
    assert FollowCamera(start, lag=0.0).update((1, 2, 0), dt=0.01).target == (1.0, 2.0, 0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Camera((0, 0, 0), (0, 0, 0)), "same point"),
        (lambda: Camera((0, 0, 1), (0, 0, 0)), "along its up"),
        (lambda: Camera((0, 1, 0), (0, 0, 0), fov=180.0), "fov"),
        (lambda: Camera((0, np.nan, 0), (0, 0, 0)), "eye must be three finite"),
        (lambda: Camera((0, 1), (0, 0, 0)), "eye must be three finite"),
        (lambda: Camera.orbit((0, 0, 0), 0.0, 0.0, 0.0), "distance"),
        (lambda: Camera.orbit((0, 0, 0), 1.0, 0.0, 90.0), "elevation"),
        (lambda: Camera.orbit((0, 0, 0), 1.0, 0.0, 0.0, up="x"), "'y' or 'z'"),
        (lambda: Camera.from_pose((0, 0, 0), (0, 0, 0, 0)), "quaternion"),
        (lambda: Camera((0, 1, 0), (0, 0, 0)).blend(Camera((0, 2, 0), (0, 0, 0)), 1.5), "blend"),
        (lambda: FollowCamera(Camera((0, 1, 0), (0, 0, 0)), lag=-1.0), "lag"),
    ],
)
def test_bad_cameras_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
