"""The viewer: a window's behaviour without the window.

It keeps cameras, subscriptions and lines, counts frames, and closes itself after KILOGYM_VIEWER_MAX_FRAMES
frames, if that environment variable is set; else it never closes, as a window nobody closes.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from isaacgym.gymapi.math_types import Transform, Vec3
from isaacgym.gymapi.records import ActionEvent
from isaacgym.gymapi.struct import make_record


class Viewer:
    """What `Gym.create_viewer` returns."""

    def __init__(self, sim: Any, props: Any, handle: int) -> None:
        self.sim, self.props, self.handle = sim, props, handle
        self.width, self.height = props.width, props.height
        self.frames = 0
        self.closed = False
        self.camera = Transform()  # in the frame of camera_env; looks along its z axis, y is up
        self.camera_env: Any = None
        self.keys: dict[int, str] = {}
        self.mouse: dict[int, str] = {}
        self.events: list[Any] = []
        self.lines: list[tuple[Any, np.ndarray, np.ndarray]] = []  # (env, (n, 2, 3) ends, (n, 3) RGB)
        limit = os.environ.get("KILOGYM_VIEWER_MAX_FRAMES", "")
        if limit and not limit.isdecimal():
            raise ValueError(f"KILOGYM_VIEWER_MAX_FRAMES: expected a number of frames, got {limit!r}")
        self.max_frames = int(limit) if limit else None

    def frame(self) -> None:
        """Count one frame."""
        self.frames += 1
        if self.max_frames is not None and self.frames >= self.max_frames:
            self.closed = True

    def press(self, key: int, value: float = 1.0) -> None:
        """Pretend that a subscribed key went down (1) or up (0): for tests and remote controls."""
        for actions in (self.keys, self.mouse):
            if key in actions:
                self.events.append(make_record(ActionEvent, action=actions[key], value=value))

    def look_at(self, env: Any, pos: Vec3, target: Vec3, up: Vec3) -> None:
        """Place the camera at `pos` looking at `target` [m], in the frame of `env` or the global one."""
        forward = np.array([target.x - pos.x, target.y - pos.y, target.z - pos.z])
        length = np.linalg.norm(forward)
        forward = forward / length if length > 0 else np.array([1.0, 0.0, 0.0])
        side = np.cross([up.x, up.y, up.z], forward)
        if np.linalg.norm(side) < 1e-6:  # looking straight up or down: any direction will do
            side = np.cross([0.0, 1.0, 0.0] if abs(forward[0]) > 0.9 else [1.0, 0.0, 0.0], forward)
        side /= np.linalg.norm(side)
        from kilogym.math.quaternion import quat_from_matrix

        quat = quat_from_matrix(np.stack([side, np.cross(forward, side), forward], axis=1))
        self.camera = Transform(pos)
        self.camera.r = quat.tolist()
        self.camera_env = env
