"""Gym, section "viewer". There is no window yet: see `isaacgym.gymapi.viewer`."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.enums import KeyboardInput, MouseInput, UpAxis
from isaacgym.gymapi.gym.checks import as_env, as_sim, as_viewer, env_decl, need, vec3
from isaacgym.gymapi.gym.pictures import viewer_picture
from isaacgym.gymapi.gym.status import log, on_failure
from isaacgym.gymapi.handles import Env, Sim
from isaacgym.gymapi.math_types import Int2, Transform, Vec2, Vec3
from isaacgym.gymapi.params import CameraProperties
from isaacgym.gymapi.records import ActionEvent
from isaacgym.gymapi.viewer import Viewer


class ViewerCalls:
    """A viewer that behaves, counts frames and shows nothing."""

    @on_failure(None)
    def create_viewer(self, sim: Sim, props: CameraProperties) -> Viewer | None:
        """A viewer without a window; None for a simulation without a graphics device.

        It closes after KILOGYM_VIEWER_MAX_FRAMES frames (environment variable), if that is set.
        """
        need(CameraProperties, props, "props")
        if as_sim(sim).graphics_device < 0:
            raise ValueError("create_sim was given graphics_device -1: expected 0 or more for a viewer")
        viewer = Viewer(sim, props, sim.new_handle())
        up = Vec3(0.0, 0.0, 1.0) if sim.params.up_axis is UpAxis.UP_AXIS_Z else Vec3(0.0, 1.0, 0.0)
        start = Vec3(5.0, 5.0, 5.0)
        viewer.look_at(None, start, Vec3(), up)
        if viewer.max_frames is None:
            log.info("create_viewer: there is no window to close; KILOGYM_VIEWER_MAX_FRAMES=N closes it after N")
        return viewer

    def destroy_viewer(self, viewer: Viewer) -> None:
        """Close the viewer."""
        as_viewer(viewer).closed = True
        viewer.lines.clear()

    def draw_viewer(self, viewer: Viewer, sim: Sim, render_collision: bool = True) -> None:
        """Count a frame."""
        as_sim(sim)
        as_viewer(viewer).frame()

    def poll_viewer_events(self, viewer: Viewer) -> None:
        """Count a frame that is not drawn."""
        as_viewer(viewer).frame()

    def query_viewer_has_closed(self, viewer: Viewer) -> bool:
        """Whether the viewer was closed, or ran out of frames."""
        return as_viewer(viewer).closed

    def query_viewer_action_events(self, viewer: Viewer) -> list[ActionEvent]:
        """Events since the last call."""
        events, as_viewer(viewer).events = viewer.events, []
        return events

    def subscribe_viewer_keyboard_event(self, viewer: Viewer, key: KeyboardInput, action: str) -> None:
        """Give a key a name."""
        as_viewer(viewer).keys[KeyboardInput(int(key))] = str(action)

    def subscribe_viewer_mouse_event(self, viewer: Viewer, button: MouseInput, action: str) -> None:
        """Give a mouse input a name."""
        as_viewer(viewer).mouse[MouseInput(int(button))] = str(action)

    def viewer_camera_look_at(self, viewer: Viewer, env: Env | None, pos: Vec3, target: Vec3) -> None:
        """Place the camera [m], in the frame of `env` or the global one."""
        vec3(pos), vec3(target)
        if env is not None:
            as_env(env)
        up = Vec3(0.0, 0.0, 1.0) if as_viewer(viewer).sim.params.up_axis is UpAxis.UP_AXIS_Z else Vec3(0.0, 1.0, 0.0)
        viewer.look_at(env, pos, target, up)

    def get_viewer_camera_handle(self, viewer: Viewer) -> int:
        """Handle of the viewer's camera."""
        return as_viewer(viewer).handle

    def get_viewer_camera_transform(self, viewer: Viewer, env: Env | None) -> Transform:
        """Pose of the camera in the frame of `env` or the global one; it looks along its z axis, y is up."""
        camera = as_viewer(viewer).camera
        origin = Vec3(*env_decl(viewer.camera_env).origin) if viewer.camera_env is not None else Vec3()
        other = Vec3(*env_decl(env).origin) if env is not None else Vec3()
        return Transform(camera.p + origin - other, camera.r)

    def get_viewer_mouse_position(self, viewer: Viewer) -> Vec2:
        """The middle of the window that is not there."""
        as_viewer(viewer)
        return Vec2(0.5, 0.5)

    def get_viewer_size(self, viewer: Viewer) -> Int2:
        """Size asked for [pixels]."""
        return Int2(as_viewer(viewer).width, viewer.height)

    @on_failure(None)
    def write_viewer_image_to_file(self, viewer: Viewer, filename: str) -> None:
        """Draw what the camera sees, ray-traced, into a PNG file; without lines."""
        from kilogym.viewer import write_png

        write_png(filename, viewer_picture(as_viewer(viewer)))

    @on_failure(None)
    def add_lines(self, viewer: Viewer, env: Env | None, num_lines: int, vertices: Any, colors: Any) -> None:
        """Add segments [m], in the frame of `env` or the global one.

        Args:
            vertices: Two ends of each: arrays of floats or of Vec3.dtype, or nested or flat lists.
            colors: RGB in 0..1 of each.
        """
        if env is not None:
            as_env(env)
        ends, rgb = _floats(vertices, 6 * num_lines, "vertices"), _floats(colors, 3 * num_lines, "colors")
        as_viewer(viewer).lines.append((env, ends.reshape(-1, 2, 3), rgb.reshape(-1, 3)))

    def clear_lines(self, viewer: Viewer) -> None:
        """Remove all segments."""
        as_viewer(viewer).lines.clear()


def _floats(values: Any, count: int, what: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.names is not None:
        array = np.ascontiguousarray(array).view("<f4")
    flat = array.astype(np.float32).reshape(-1)
    if flat.size < count:
        raise ValueError(f"{what}: expected {count} numbers for these lines, got {flat.size}")
    return flat[:count].copy()
