"""Gym, sections "viewer" and "graphics": a viewer without a window, colours, textures, lines."""

import numpy as np
import pytest
from scenes import step

from isaacgym import gymapi, gymutil


@pytest.fixture
def viewed(gym, make_scene):
    """A scene of balls and its viewer."""
    scene = make_scene("ball", prepare=False)
    camera = gymapi.CameraProperties()
    camera.width, camera.height = 64, 48
    scene.viewer = gym.create_viewer(scene.sim, camera)
    assert scene.viewer is not None
    return scene


def test_the_loop_of_every_example(gym, viewed, monkeypatch):
    """It ends after KILOGYM_VIEWER_MAX_FRAMES frames, as if the window had been closed."""
    monkeypatch.setenv("KILOGYM_VIEWER_MAX_FRAMES", "5")
    viewer = gym.create_viewer(viewed.sim, gymapi.CameraProperties())
    gym.subscribe_viewer_keyboard_event(viewer, gymapi.KEY_R, "reset")
    gym.subscribe_viewer_mouse_event(viewer, gymapi.MOUSE_LEFT_BUTTON, "shoot")
    gym.viewer_camera_look_at(viewer, None, gymapi.Vec3(3, 3, 3), gymapi.Vec3())
    frames = 0
    while not gym.query_viewer_has_closed(viewer):
        gym.simulate(viewed.sim)
        gym.fetch_results(viewed.sim, True)
        gym.step_graphics(viewed.sim)
        gym.draw_viewer(viewer, viewed.sim, render_collision=True)
        frames += 1
        assert gym.query_viewer_action_events(viewer) == []
    assert frames == 5
    gym.destroy_viewer(viewer)
    assert gym.query_viewer_has_closed(viewer)


def test_without_a_limit_it_stays_open(gym, viewed):
    for _ in range(20):
        gym.draw_viewer(viewed.viewer, viewed.sim, True)
        gym.poll_viewer_events(viewed.viewer)
    assert not gym.query_viewer_has_closed(viewed.viewer)


def test_events_come_once(gym, viewed):
    gym.subscribe_viewer_keyboard_event(viewed.viewer, gymapi.KEY_ESCAPE, "QUIT")
    viewed.viewer.press(gymapi.KEY_ESCAPE)
    viewed.viewer.press(gymapi.KEY_V)  # nobody asked for it
    (event,) = gym.query_viewer_action_events(viewed.viewer)
    assert (event.action, event.value) == ("QUIT", 1.0)
    assert gym.query_viewer_action_events(viewed.viewer) == []


def test_no_graphics_device_no_viewer(gym, make_scene, errors):
    scene = make_scene("ball", graphics=-1)
    assert gym.create_viewer(scene.sim, gymapi.CameraProperties()) is None
    assert "graphics_device -1" in errors()[0]
    # everything else is safe
    gym.set_rigid_body_color(scene.envs[0], 0, 0, gymapi.MESH_VISUAL, gymapi.Vec3(1, 0, 0))
    gym.step_graphics(scene.sim)
    gym.render_all_camera_sensors(scene.sim)
    gym.start_access_image_tensors(scene.sim)
    gym.end_access_image_tensors(scene.sim)
    assert gym.create_texture_from_buffer(scene.sim, 2, 2, np.zeros((2, 8), np.uint8)) == -1


def test_the_camera(gym, viewed):
    """It looks along its z axis; in the frame of an env its position is relative to that."""
    gym.viewer_camera_look_at(viewed.viewer, viewed.envs[1], gymapi.Vec3(3, 0, 1), gymapi.Vec3(0, 0, 1))
    pose = gym.get_viewer_camera_transform(viewed.viewer, viewed.envs[1])
    ahead, up = pose.r.rotate(gymapi.Vec3(0, 0, 1)), pose.r.rotate(gymapi.Vec3(0, 1, 0))
    assert pose.p == gymapi.Vec3(3, 0, 1)
    assert (ahead.x, ahead.y, ahead.z) == pytest.approx((-1, 0, 0), abs=1e-6)
    assert (up.x, up.y, up.z) == pytest.approx((0, 0, 1), abs=1e-6)
    origin = gym.get_env_origin(viewed.envs[1])
    assert gym.get_viewer_camera_transform(viewed.viewer, None).p.x == 3 + origin.x
    assert gym.get_viewer_camera_handle(viewed.viewer) >= 0
    size = gym.get_viewer_size(viewed.viewer)
    assert (size.x, size.y) == (64, 48)
    mouse = gym.get_viewer_mouse_position(viewed.viewer)
    assert 0 <= mouse.x <= 1


def test_a_picture_shows_the_coloured_ball(gym, viewed, tmp_path):
    pytest.importorskip("imageio")
    import imageio.v3 as iio

    red = gymapi.Vec3(1, 0, 0)
    for env in viewed.envs:
        gym.set_rigid_body_color(env, 0, 0, gymapi.MESH_VISUAL_AND_COLLISION, red)
    step(viewed)
    gym.viewer_camera_look_at(viewed.viewer, viewed.envs[0], gymapi.Vec3(0, -0.5, 1.0), gymapi.Vec3(0, 0, 1.0))
    file = tmp_path / "picture.png"
    gym.write_viewer_image_to_file(viewed.viewer, str(file))
    picture = iio.imread(file).astype(int)
    assert picture.shape[:2] == (48, 64)
    r, g, b = picture[24, 32, :3]
    assert r > g + 40
    assert r > b + 40


def test_lines(gym, viewed):
    vertices = [0, 0, 0, 1, 0, 0]
    gym.add_lines(viewed.viewer, None, 1, vertices, [1, 0, 0])
    gym.add_lines(viewed.viewer, viewed.envs[0], 1, [[0, 0, 0, 1, 0, 0]], [[1, 0, 0]])
    ends, colors = np.zeros((2, 2), gymapi.Vec3.dtype), np.zeros(2, gymapi.Vec3.dtype)
    ends[1][1] = (1, 2, 3)
    gym.add_lines(viewed.viewer, viewed.envs[0], 2, ends, colors)
    assert [len(line[1]) for line in viewed.viewer.lines] == [1, 1, 2]
    assert viewed.viewer.lines[2][1][1, 1].tolist() == [1, 2, 3]
    gym.clear_lines(viewed.viewer)
    assert viewed.viewer.lines == []
    gymutil.draw_lines(gymutil.AxesGeometry(0.5), gym, viewed.viewer, viewed.envs[0], gymapi.Transform())
    gymutil.draw_line(gymapi.Vec3(), gymapi.Vec3(1, 0, 0), gymapi.Vec3(1, 1, 1), gym, viewed.viewer, None)
    assert [len(line[1]) for line in viewed.viewer.lines] == [3, 1]
    gym.draw_env_rigid_contacts(viewed.viewer, viewed.envs[0], gymapi.Vec3(1, 0, 0), 0.1, True)
    gym.draw_env_soft_contacts(viewed.viewer, viewed.envs[0], gymapi.Vec3(1, 0, 0), 0.1, True, True)


def test_too_few_numbers_for_lines(gym, viewed, errors):
    gym.add_lines(viewed.viewer, None, 2, [0.0] * 6, [0.0] * 6)
    assert "vertices: expected 12 numbers for these lines, got 6" in errors()[0]


def test_colours_textures_segmentation(gym, viewed, tmp_path, errors):
    env = viewed.envs[0]
    assert gym.get_rigid_body_color(env, 0, 0, gymapi.MESH_VISUAL) == gymapi.Vec3(1, 1, 1)
    gym.set_rigid_body_color(env, 0, 0, gymapi.MESH_VISUAL, gymapi.Vec3(0.25, 0.5, 0.75))
    assert gym.get_rigid_body_color(env, 0, 0, gymapi.MESH_VISUAL) == gymapi.Vec3(0.25, 0.5, 0.75)
    assert gym.get_rigid_body_color(env, 0, 0, gymapi.MESH_COLLISION) == gymapi.Vec3(1, 1, 1)
    (tmp_path / "wood.png").write_bytes(b"")
    texture = gym.create_texture_from_file(viewed.sim, str(tmp_path / "wood.png"))
    other = gym.create_texture_from_buffer(viewed.sim, 2, 2, np.zeros((2, 8), np.uint8))
    assert -1 not in (texture, other)
    assert texture != other
    gym.set_rigid_body_texture(env, 0, 0, gymapi.MESH_VISUAL, texture)
    assert gym.get_rigid_body_texture(env, 0, 0, gymapi.MESH_VISUAL) == texture
    gym.reset_actor_materials(env, 0, gymapi.MESH_VISUAL_AND_COLLISION)
    assert gym.get_rigid_body_texture(env, 0, 0, gymapi.MESH_VISUAL) == -1
    assert gym.get_rigid_body_color(env, 0, 0, gymapi.MESH_VISUAL) == gymapi.Vec3(1, 1, 1)
    gym.free_texture(viewed.sim, texture)
    assert gym.get_rigid_body_segmentation_id(env, 0, 0) == 0
    gym.set_rigid_body_segmentation_id(env, 0, 0, 7)
    assert gym.get_rigid_body_segmentation_id(env, 0, 0) == 7
    gym.set_light_parameters(viewed.sim, 0, gymapi.Vec3(1, 1, 1), gymapi.Vec3(), gymapi.Vec3(0, 0, 1))
    assert errors() == []


def test_what_fails(gym, viewed, errors):
    env = viewed.envs[0]
    cases = [
        (lambda: gym.set_rigid_body_color(env, 0, 5, gymapi.MESH_VISUAL, gymapi.Vec3()), "expected 0 <= index < 1"),
        (lambda: gym.set_rigid_body_texture(env, 0, 0, gymapi.MESH_VISUAL, 99), "expected a handle of create_texture"),
        (lambda: gym.free_texture(viewed.sim, 99), "expected a handle of create_texture"),
        (lambda: gym.create_texture_from_file(viewed.sim, "/no/such.png"), "there is no '/no/such.png'"),
        (lambda: gym.create_texture_from_buffer(viewed.sim, 2, 2, np.zeros(3)), "expected 2 rows of 8 bytes"),
        (lambda: gym.set_rigid_body_segmentation_id(env, 0, 0, -1), "expected 0 <= id < 2**32"),
        (lambda: gym.set_light_parameters(viewed.sim, 4, *[gymapi.Vec3()] * 3), "expected an index of 0 to 3"),
    ]
    for call, text in cases:
        assert call() in (None, -1)
        assert text in errors()[0]
    with pytest.raises(TypeError, match=r"expected a gymapi\.Viewer, got NoneType; it comes from create_viewer"):
        gym.draw_viewer(None, viewed.sim, True)
