"""A film of a field of robots following a policy."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from kilogym.tasks.base import Task


@torch.no_grad()
def film_policy(
    task: Task,
    act: Callable[[Tensor], Tensor],
    path: Path,
    seconds: float = 6.0,
    width: int = 640,
    height: int = 360,
    warm_up: float = 1.0,
) -> None:
    """Film every env of `task` side by side, the camera following; .gif or .mp4 by the suffix.

    Args:
        task: Few envs (9 to 64 look best); is reset first.
        act: Policy: observations [E, num_obs] to actions [E, num_actions].
        path: Where to write.
        seconds: Length of the film [s], played in real time.
        width: Of the picture [px].
        height: Of the picture [px].
        warm_up: Simulated time before the film starts [s].
    """
    from kilogym.assets.asset import ShapeKind
    from kilogym.viewer import Drawing, FollowCamera, Renderer, film_writer

    write = film_writer(path)
    sim, step_dt = task.sim, task.config.step_dt
    # robots are drawn where their env stands in the grid
    drawing = Drawing(ground=None if sim.scene.ground is None else sim.scene.ground.distance)
    for terrain in sim.scene.terrain:
        drawing.add_shape(ShapeKind.MESH, mesh=terrain.mesh(), ground_look=True)
    for env in range(task.num_envs):
        for k, actor in enumerate(sim.env(env).actors):
            drawing.add_actor(actor.asset, row=sim.body_index(env, k, 0), origin=sim.env_origin(env), color=None)
    renderer = Renderer(width, height, device="cpu" if task.device.type == "cpu" else str(task.device))

    every = max(1, round(1.0 / (20.0 * step_dt)))  # about 20 pictures a second
    obs = task.reset()
    start = task.root_states[:, 0, :3].mean(0)
    frames, follow = [], None
    for step in range(math.ceil((warm_up + seconds) / step_dt)):
        obs = task.step(act(obs)).obs
        if step * step_dt < warm_up or step % every:
            continue
        sim.refresh_body_states()
        drawing.set_poses(sim.body_states)
        moved = (task.root_states[:, 0, :3].median(0).values - start).tolist()
        if follow is None:
            view = drawing.overview(azimuth=-55.0, elevation=24.0, fov=32.0, fill=1.5)
            follow, origin = FollowCamera(view, lag=0.2), moved
        shift = [a + b - c for a, b, c in zip(view.target, moved, origin, strict=True)]
        frames.append(renderer.render(drawing, follow.update((shift[0], shift[1], view.target[2]), every * step_dt)))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, frames, 1.0 / (every * step_dt))
