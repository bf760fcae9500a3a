"""Gym, attractors: springs with dampers that pull bodies to poses."""

from __future__ import annotations

from typing import Any

from isaacgym.gymapi.body_properties import AttractorProperties
from isaacgym.gymapi.constants import AXIS_ALL, INVALID_HANDLE
from isaacgym.gymapi.gym.checks import actor_decl, as_env, env_decl, need, owner, pick, pose_numbers
from isaacgym.gymapi.gym.status import on_failure
from isaacgym.gymapi.handles import Env
from isaacgym.gymapi.math_types import Quat, Transform, Vec3
from isaacgym.gymapi.struct import make_record


class AttractorCalls:
    """A body's frame `offset` is pulled to `target`, a pose in the env's frame.

    Axes are those of the target's frame: bit 1, 2, 4 along x, y, z, bit 8, 16, 32 about x (twist), y and z (swing).
    Force = stiffness * error - damping * velocity [N/m, N s/m; N m/rad, N m s/rad], implicit in time.
    """

    @on_failure(INVALID_HANDLE)
    def create_rigid_body_attractor(self, env: Env, props: AttractorProperties) -> int:
        """Make an attractor, before `prepare_sim`; with `axes` or stiffness and damping 0 it does nothing.

        Returns:
            Its handle in the env.
        """
        return as_env(env).sim.simulation.create_attractor(env.index, _declaration(env, props))

    def get_attractor_properties(self, env: Env, handle: int) -> AttractorProperties:
        """Properties in force."""
        a = pick(env_decl(env).attractors, handle, "attractor")
        return make_record(
            AttractorProperties,
            rigid_handle=actor_decl(env, a.actor).body_start + a.link,
            axes=sum(1 << i for i, on in enumerate(a.axes) if on),
            stiffness=a.stiffness,
            damping=a.damping,
            target=Transform(Vec3(*a.target_pos), Quat(*a.target_quat)),
            offset=Transform(Vec3(*a.offset_pos), Quat(*a.offset_quat)),
        )

    @on_failure(None)
    def set_attractor_properties(self, env: Env, handle: int, props: AttractorProperties) -> None:
        """Set all properties; the body only before `prepare_sim`."""
        pick(env_decl(env).attractors, handle, "attractor")
        env.sim.simulation.set_attractor(env.index, handle, _declaration(env, props))

    @on_failure(None)
    def set_attractor_target(self, env: Env, handle: int, target: Transform) -> None:
        """Move the target; acts from the next step on."""
        need(Transform, target)
        props = self.get_attractor_properties(env, handle)
        props.target = target
        self.set_attractor_properties(env, handle, props)


def _declaration(env: Env, props: AttractorProperties) -> Any:
    from kilogym.scene.couplings import AttractorDecl

    need(AttractorProperties, props)
    if not 0 <= props.axes <= AXIS_ALL:
        raise ValueError(f"axes of an attractor: expected bits of gymapi.AXIS_ALL ({AXIS_ALL}), got {props.axes}")
    actor, link = owner(env, props.rigid_handle, "body")
    (target_pos, target_quat), (offset_pos, offset_quat) = pose_numbers(props.target), pose_numbers(props.offset)
    return AttractorDecl(
        actor, link, props.stiffness, props.damping, tuple(props.axes >> i & 1 for i in range(6)),
        target_pos, target_quat, offset_pos, offset_quat,
    )  # fmt: skip
