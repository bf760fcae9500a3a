"""Checks of handles and indices, and the small conversions every call needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.enums import IndexDomain
from isaacgym.gymapi.handles import Asset, Env, Sim
from isaacgym.gymapi.math_types import Quat, Transform, Vec3
from isaacgym.gymapi.viewer import Viewer

_HINTS = {
    Sim: "it comes from create_sim, which returns None when it fails and logs the reason",
    Env: "it comes from create_env",
    Asset: "it comes from load_asset or create_box ..., which return None when they fail and log the reason",
    Viewer: "it comes from create_viewer, which returns None without graphics",
}


def need(kind: type, value: Any, what: str = "") -> Any:
    """`value`, which must be a `kind`; TypeError otherwise."""
    if not isinstance(value, kind):
        hint = _HINTS.get(kind)
        raise TypeError(
            f"{what + ': ' if what else ''}expected a gymapi.{kind.__name__}, got {type(value).__name__}"
            f"{'; ' + hint if hint else ''}"
        )
    return value


def as_sim(sim: Any) -> Sim:
    """The simulation behind a handle; RuntimeError if it was destroyed."""
    return _alive(need(Sim, sim))


def as_env(env: Any) -> Env:
    """The env behind a handle; RuntimeError if its simulation was destroyed."""
    _alive(need(Env, env).sim)
    return env


def _alive(sim: Sim) -> Sim:
    if sim.simulation.destroyed:
        raise RuntimeError("the simulation has been destroyed with destroy_sim; create a new one")
    return sim


def as_viewer(viewer: Any) -> Viewer:
    """The viewer behind a handle."""
    return need(Viewer, viewer)


def env_decl(env: Any) -> Any:
    """Kilogym's declaration of an env."""
    return as_env(env).sim.simulation.scene.env(env.index)


def actor_decl(env: Any, actor: int) -> Any:
    """Kilogym's declaration of an actor, by its handle in the env."""
    return as_env(env).sim.simulation.scene.actor(env.index, actor)


def kilogym_asset(asset: Any) -> Any:
    """Kilogym's asset behind a handle."""
    return need(Asset, asset).asset


def pick(items: list[Any], index: int, what: str) -> Any:
    """`items[index]`, refusing negative and too large indices."""
    if not 0 <= index < len(items):
        raise IndexError(f"{what} {index}: expected 0 <= index < {len(items)}")
    return items[index]


def find(names: list[str], name: str) -> int:
    """Index of the first `name`, -1 if there is none."""
    try:
        return names.index(name)
    except ValueError:
        return -1


def name_dict(names: list[str]) -> dict[str, int]:
    """Name -> index, iterated in alphabetical order as the original's."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        first.setdefault(name, index)
    return dict(sorted(first.items()))


def in_domain(domain: Any, index: int, env_start: int, sim_start: int) -> int:
    """An actor-relative index in the domain asked for."""
    kind = IndexDomain(int(domain))
    if kind is IndexDomain.DOMAIN_ACTOR:
        return index
    return env_start + index + (sim_start if kind is IndexDomain.DOMAIN_SIM else 0)


def owner(env: Any, handle: int, kind: str) -> tuple[int, int]:
    """The actor that an env-relative "body", "dof" or "joint" handle belongs to, and the index in it."""
    actors = env_decl(env).actors
    for index, actor in enumerate(actors):
        start, count = getattr(actor, f"{kind}_start"), item_count(actor.asset, kind)
        if start <= handle < start + count:
            return index, handle - start
    total = sum(item_count(actor.asset, kind) for actor in actors)
    raise IndexError(f"{kind} handle {handle} of env {env.index}: expected 0 <= handle < {total}")


def item_count(asset: Any, kind: str) -> int:
    """Number of bodies, DOFs or joints of an asset."""
    if kind == "body":
        return len(asset.links)
    return asset.num_dofs if kind == "dof" else len(asset.joints)


def vec3(value: Vec3) -> tuple[float, float, float]:
    """Numbers of a Vec3."""
    need(Vec3, value)
    return value.x, value.y, value.z


def finite(values: Any, what: str) -> Any:
    """`values`, numbers of any shape; ValueError if one is not finite."""
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        bad = array[~np.isfinite(array)].reshape(-1)[0]
        raise ValueError(f"{what}: expected finite numbers, got {bad}")
    return values


def pose_numbers(pose: Transform) -> tuple[tuple[float, float, float], tuple[float, float, float, float]]:
    """Position and quaternion of a Transform."""
    need(Transform, pose)
    return (pose.p.x, pose.p.y, pose.p.z), (pose.r.x, pose.r.y, pose.r.z, pose.r.w)


def transform_of(row: Any) -> Transform:
    """A Transform of seven numbers."""
    numbers = [float(x) for x in row[:7]]
    return Transform(Vec3(*numbers[:3]), Quat(*numbers[3:]))
