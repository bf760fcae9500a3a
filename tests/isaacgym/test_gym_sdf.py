"""`<sdf>` of a URDF, through the drop-in: what falls through a ring, at which scale."""

from __future__ import annotations

import pytest
import torch
import trimesh

from isaacgym import gymapi, gymtorch

RING = (
    '<robot name="ring"><link name="ring"><collision><geometry><mesh filename="ring.obj"/></geometry>{}</collision>'
    "</link></robot>"
)


@pytest.mark.parametrize("asked", [True, False])
def test_a_ball_falls_through_a_ring_with_a_field(gym, make_sim, tmp_path, asked):
    """Two envs: in the second the ring is half as large, and holds the ball. Its hull holds it in both."""
    trimesh.creation.annulus(r_min=0.06, r_max=0.1, height=0.05).export(tmp_path / "ring.obj")
    (tmp_path / "ring.urdf").write_text(RING.format('<sdf resolution="64"/>' if asked else ""))
    sim = make_sim()
    options = gymapi.AssetOptions()
    options.fix_base_link = True
    ring = gym.load_asset(sim, str(tmp_path), "ring.urdf", options)
    assert ring is not None
    ball = gym.create_sphere(sim, 0.04, gymapi.AssetOptions())
    for scale in (1.0, 0.5):
        env = gym.create_env(sim, gymapi.Vec3(-1, -1, 0), gymapi.Vec3(1, 1, 1), 2)
        pose = gymapi.Transform()
        pose.p = gymapi.Vec3(0, 0, 0.2)
        handle = gym.create_actor(env, ring, pose, "ring", -1, 0)
        gym.set_actor_scale(env, handle, scale)
        pose.p = gymapi.Vec3(0, 0, 0.28)
        gym.create_actor(env, ball, pose, "ball", -1, 0)
    gym.prepare_sim(sim)
    states = gymtorch.wrap_tensor(gym.acquire_actor_root_state_tensor(sim))
    for _ in range(60):
        gym.simulate(sim)
    gym.refresh_actor_root_state_tensor(sim)
    heights = states.view(2, 2, 13)[:, 1, 2]
    rest = 0.0125 + 0.2 + (0.04**2 - 0.03**2) ** 0.5 if asked else 0.2125 + 0.04
    expected = [0.04 if asked else 0.225 + 0.04, rest]
    torch.testing.assert_close(heights.cpu(), torch.tensor(expected), atol=2e-3, rtol=0)
