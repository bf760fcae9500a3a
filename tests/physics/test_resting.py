"""Bodies at rest, and bodies put into each other."""

from __future__ import annotations

import numpy as np
from lab import ALONG_Y, G, World, box, capsule


def test_capsule_at_rest(device, measure):
    """Lying for 3 s to settle and 5 s more: it neither sinks nor moves."""
    world = World([(capsule(quat=ALONG_Y), (0, 0, 0.1))], device)
    world.step(world.steps_in(3.0))
    (roots,) = world.run(5.0, "roots")
    case = "capsule at rest, 5 s"
    measure(case, "penetration", max(0.0, (0.1 - roots[:, 0, 0, 2]).max()), 1e-4, "m")
    measure(case, "speed", np.linalg.norm(roots[:, 0, 0, 7:10], axis=-1).max(), 1e-5, "m/s")
    measure(case, "drift", np.linalg.norm(roots[-1, 0, 0, :2] - roots[0, 0, 0, :2]), 1e-5, "m")


def test_contact_force_is_the_weight(device, measure):
    """A cube at rest, in one substep or four: the reported force is m g, evenly on its corners."""
    worlds = [World([(box(), (0, 0, 0.1))], device, dt=n / 120, substeps=n) for n in (1, 4)]
    for world in worlds:
        world.step(240)
        (forces,) = world.run(world.dt * 60, "forces")
        up = forces[1:, 0, 0, 2] / G
        case = f"cube at rest, {world.sim.params.substeps} substeps"
        measure(case, "contact force / m g - 1", up.mean() - 1, 1e-5)
        measure(case, "its deviation", up.std(), 1e-4)
        saved = world.sim.prepared and world.sim._prepared.batches[0].snapshot()["warm_impulse"]
        corners = saved[2::3, 0].cpu().numpy()
        assert len(corners) >= 4
        corners = corners[corners > 0]
        assert len(corners) == 4
        measure(case, "spread of the corners' loads", np.ptp(corners) / corners.mean(), 1e-2)


def test_deep_overlap(device, measure):
    """A cube put 5 cm into the ground comes out no faster than allowed and does not jump."""
    fastest = 1.0
    world = World([(box(), (0, 0, 0.05))], device, max_depenetration_velocity=fastest)
    (roots,) = world.run(1.5, "roots")
    measure("cube 5 cm in the ground", "exit speed", max(0.0, roots[:, 0, 0, 9].max()), fastest, "m/s")
    measure("cube 5 cm in the ground", "overshoot", max(0.0, roots[:, 0, 0, 2].max() - 0.1), 5e-3, "m")
    assert abs(roots[-1, 0, 0, 2] - 0.1) < 1e-4
