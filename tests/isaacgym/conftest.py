"""Simulations made through the API as a client makes them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from scenes import ARM, WALKER, sim_params

from isaacgym import gymapi


@pytest.fixture(scope="session")
def robots(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with arm.urdf and walker.xml."""
    folder = tmp_path_factory.mktemp("robots")
    (folder / "arm.urdf").write_text(ARM)
    (folder / "walker.xml").write_text(WALKER)
    return str(folder)


@pytest.fixture
def gym() -> gymapi.Gym:
    return gymapi.acquire_gym()


@pytest.fixture
def make_sim(gym: gymapi.Gym, device: str):
    """A function that creates simulations; they are destroyed when the test ends."""
    made = []

    def create(graphics: int = 0, ground: bool = True, **fields: Any) -> gymapi.Sim:
        index = int(device.partition(":")[2] or 0)
        sim = gym.create_sim(index, graphics, gymapi.SIM_PHYSX, sim_params(device, **fields))
        assert sim is not None
        made.append(sim)
        if ground:
            plane = gymapi.PlaneParams()
            plane.normal = gymapi.Vec3(0, 0, 1)
            gym.add_ground(sim, plane)
        return sim

    yield create
    for sim in made:
        gym.destroy_sim(sim)


@pytest.fixture
def make_scene(gym: gymapi.Gym, make_sim: Callable[..., gymapi.Sim], robots: str):
    """A function that makes `envs` envs, each with an actor of every asset named: "arm", "walker", "ball"."""

    def create(*kinds: str, envs: int = 2, prepare: bool = True, **fields: Any) -> SimpleNamespace:
        sim = make_sim(**fields)
        options = gymapi.AssetOptions()
        options.fix_base_link, options.angular_damping = True, 0.0
        free = gymapi.AssetOptions()
        free.angular_damping = 0.0
        load = {
            "arm": lambda: gym.load_asset(sim, robots, "arm.urdf", options),
            "walker": lambda: gym.load_asset(sim, robots, "walker.xml", free),
            "ball": lambda: gym.create_sphere(sim, 0.1, free),
        }
        assets = {kind: load[kind]() for kind in kinds}
        assert None not in assets.values()
        out = SimpleNamespace(gym=gym, sim=sim, envs=[], assets=assets, num_envs=envs)
        for index in range(envs):
            env = gym.create_env(sim, gymapi.Vec3(-1, -1, 0), gymapi.Vec3(1, 1, 2), 4)
            out.envs.append(env)
            for place, kind in enumerate(kinds):
                pose = gymapi.Transform(p=gymapi.Vec3(0.0, 2.0 * place, 0.0 if kind == "arm" else 1.0))
                assert gym.create_actor(env, assets[kind], pose, kind, index, 1) == place
        if prepare:
            assert gym.prepare_sim(sim)
        return out

    return create


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """A function that returns what was logged as errors since it was last called."""
    caplog.set_level(logging.INFO, logger="isaacgym")

    def take() -> list[str]:
        found = [r.getMessage() for r in caplog.records if r.name == "isaacgym" and r.levelno >= logging.ERROR]
        caplog.clear()
        return found

    return take
