"""Pictures of a simulation, drawn by `kilogym.viewer`."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.math_types import Vec3
from isaacgym.gymapi.viewer import Viewer

MAX_ENVS = 256
"""Envs drawn at most: of more, one sees dots and waits for minutes."""


def viewer_picture(viewer: Viewer) -> np.ndarray:
    """What the viewer's camera sees, (height, width, 3) uint8."""
    from kilogym.viewer import Camera, Renderer

    sim = viewer.sim
    origin = np.zeros(3)
    if viewer.camera_env is not None:
        origin = np.array(sim.simulation.scene.env(viewer.camera_env.index).origin)
    camera, props = viewer.camera, viewer.props
    eye = np.array([camera.p.x, camera.p.y, camera.p.z]) + origin
    ahead, up = (camera.r.rotate(axis) for axis in (Vec3(0.0, 0.0, 1.0), Vec3(0.0, 1.0, 0.0)))
    x, y, z = (float(v) for v in eye)
    # ours wants the vertical field of view
    tangent = np.tan(np.radians(props.horizontal_fov) / 2) * props.height / props.width
    view = Camera(
        eye=(x, y, z),
        target=(x + ahead.x, y + ahead.y, z + ahead.z),
        up=(up.x, up.y, up.z),
        fov=2.0 * float(np.degrees(np.arctan(tangent))),
    )
    return Renderer(props.width, props.height).render(draw(sim), view)


def draw(sim: Any) -> Any:
    """The envs of a simulation as they stand now."""
    from kilogym.assets.asset import ShapeKind
    from kilogym.viewer import Drawing

    simulation = sim.simulation
    ground = simulation.scene.ground
    drawing = Drawing(up=simulation.params.up_axis, ground=None if ground is None else ground.distance)
    for terrain in simulation.scene.terrain:
        drawing.add_shape(ShapeKind.MESH, mesh=terrain.mesh(), ground_look=True)
    sim.prepare()
    for e, env in enumerate(simulation.scene.envs[:MAX_ENVS]):
        for a, actor in enumerate(env.actors):
            row = sim.classic.body_rows(e, a).start
            color = actor.colors.get(0, "palette")
            drawing.add_actor(actor.asset, row=row, origin=env.origin, color=color, segmentation=actor.segmentation_id)
    drawing.set_poses(sim.classic.host("body_states"))
    return drawing
