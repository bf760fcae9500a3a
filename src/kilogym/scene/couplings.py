"""Couplings of an env's actors: tendons, joints that follow joints, closures; and the attractors of an env."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kilogym.assets.asset import FLT_MAX, Asset, JointEquality, JointKind
from kilogym.assets.check import check_tendon
from kilogym.engine.model import EnvModel
from kilogym.math.quaternion import transform_compose
from kilogym.scene.properties import check_records

TENDON_PROPERTIES = np.dtype(
    [
        ("stiffness", "<f4"), ("damping", "<f4"), ("limit_stiffness", "<f4"), ("limited", "?"), ("lower", "<f4"),
        ("upper", "<f4"), ("rest_length", "<f4"), ("offset", "<f4"),
    ]
)  # fmt: skip
"""One record per tendon. Its length is `offset` plus the sum of coefficient times joint position [rad or m]; gains
are per unit of length. `limit_stiffness` acts beyond `lower` and `upper` where it is `limited`."""

Values = dict[str, np.ndarray]


@dataclass
class AttractorDecl:
    """A spring-damper that pulls a frame of a body to a target pose, both in the env's frame, along chosen axes.

    Attributes:
        actor, link: The body: actor of the env, link of its asset.
        stiffness, damping: [N/m, N s/m] along and [N m/rad, N m s/rad] about axes.
        axes: 1 for each axis that acts: along x, y, z, about x, y, z of the target's frame.
        offset_pos, offset_quat: The frame in the body's.
    """

    actor: int
    link: int
    stiffness: float
    damping: float
    axes: tuple[int, ...] = (1, 1, 1, 1, 1, 1)
    target_pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    target_quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    offset_pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    offset_quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    data: tuple[float, ...] = field(init=False, repr=False)  # engine's row, without the target
    target: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("stiffness", "damping"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"attractor: expected a finite {name} >= 0, got {value}")
        if len(self.axes) != 6 or any(a not in (0, 1) for a in self.axes):
            raise ValueError(f"attractor: expected six axes of 0 or 1, got {self.axes}")
        offset = _pose("offset", self.offset_pos, self.offset_quat)
        self.data = (float(self.stiffness), float(self.damping), *(float(a) for a in self.axes), *offset)
        self.target = _pose("target", self.target_pos, self.target_quat)


def _pose(what: str, pos: Sequence[float], quat: Sequence[float]) -> tuple[float, ...]:
    length = float(np.linalg.norm(quat))
    if not (np.isfinite([*pos]).all() and np.isfinite(length) and length > 1e-6):
        raise ValueError(
            f"{what} of an attractor: expected finite numbers and a quaternion, got {tuple(pos)}, {tuple(quat)}"
        )
    return (*(float(x) for x in pos), *(float(x) / length for x in quat))


def tendon_properties(asset: Asset) -> np.ndarray:
    """Tendon properties as the file gives them: a fresh TENDON_PROPERTIES array."""
    rows = np.zeros(len(asset.tendons), TENDON_PROPERTIES)
    for row, t in zip(rows, asset.tendons, strict=True):
        row["stiffness"], row["damping"], row["limit_stiffness"] = t.stiffness, t.damping, t.limit_stiffness
        row["limited"], row["lower"], row["upper"], row["rest_length"] = t.limited, t.lower, t.upper, t.rest_length
    return rows


def tendon_coefficients(asset: Asset) -> np.ndarray:
    """Coefficients of all tendons' joints, one tendon after another, float32."""
    return np.array([c for tendon in asset.tendons for c in tendon.coefficients], np.float32)


def check_tendons(asset: Asset, actor: str, tendons: np.ndarray) -> np.ndarray:
    """TENDON_PROPERTIES for an actor of that name, checked, a copy."""
    what = f"tendon properties of actor {actor!r}"
    rows = check_records(tendons, TENDON_PROPERTIES, len(asset.tendons), what)
    for tendon, row in zip(asset.tendons, rows, strict=True):
        which = f"{what}, tendon {tendon.name!r}"
        check_tendon(which, row["stiffness"], row["damping"], row["limit_stiffness"], row["lower"], row["upper"])
        if not np.isfinite([row["rest_length"], row["offset"]]).all():
            got = f"{row['rest_length']}, {row['offset']}"
            raise ValueError(f"{which}: expected a finite rest length and offset, got {got}")
    return rows


def check_coefficients(asset: Asset, actor: str, coefficients: object) -> np.ndarray:
    """Coefficients of all joints of an actor's tendons, checked, a float32 copy."""
    array = np.array(coefficients, np.float32).reshape(-1)
    count = sum(len(tendon.joints) for tendon in asset.tendons)
    if array.size != count or not np.isfinite(array).all():
        raise ValueError(
            f"tendon coefficients of actor {actor!r}: expected {count} finite numbers, got {array.tolist()}"
        )
    return array


def couple(model: EnvModel, asset: Asset, first_link: int, first_dof: int) -> None:
    """Append an actor's couplings to the topology of its env."""
    for tendon in asset.tendons:
        model.tendons.append([first_dof + asset.dof_of(name) for name in tendon.joints])
    for equality in asset.joint_equalities():
        leader = -1 if equality.leader is None else first_dof + asset.dof_of(equality.leader)
        model.joint_equalities.append((first_dof + asset.dof_of(equality.joint), leader))
    for closure in asset.closures:
        b = -1 if closure.link_b < 0 else first_link + closure.link_b
        model.closures.append((first_link + closure.link_a, b, closure.weld))


def tendon_values(rows: np.ndarray) -> Values:
    """TENDON_PROPERTIES records, of any leading shape (..., tendons), as values (..., tendons, 6)."""
    offset = rows["offset"].astype(np.float64)
    limited = rows["limited"]
    columns = (
        rows["stiffness"], rows["damping"], rows["rest_length"] - offset,
        np.where(limited, rows["lower"] - offset, -FLT_MAX), np.where(limited, rows["upper"] - offset, FLT_MAX),
        np.where(limited, rows["limit_stiffness"], 0.0),
    )  # fmt: skip
    return {"tendon": np.stack([np.asarray(c, np.float64) for c in columns], axis=-1)}


def held_values(asset: Asset, pos: Sequence[float], quat: Sequence[float], scale: float) -> Values:
    """Joint equalities and closures of an actor made at a pose of the env's frame."""
    rows = []
    for c in asset.closures:
        frame_b = np.array([*np.multiply(c.pos_b, scale), *_unit(c.quat_b)])
        if c.link_b < 0:
            placed = transform_compose((np.array(pos), np.array(quat)), (frame_b[:3], frame_b[3:]))
            frame_b = np.concatenate(placed)
        rows.append([*np.multiply(c.pos_a, scale), *_unit(c.quat_a), *frame_b])
    equalities = [_scaled(asset, e, scale) for e in asset.joint_equalities()]
    return {
        "joint_equality": np.array(equalities, np.float64).reshape(-1, 5),
        "closure": np.array(rows, np.float64).reshape(-1, 14),
    }


def attractor_values(attractors: list[list[AttractorDecl]]) -> Values:
    """Attractors of envs with equally many: (envs, attractors, components)."""
    shape = (len(attractors), len(attractors[0]))
    return {
        "attractor": np.array([[a.data for a in own] for own in attractors], np.float64).reshape(*shape, 15),
        "attractor_target": np.array([[a.target for a in own] for own in attractors], np.float64).reshape(*shape, 7),
    }


def _scaled(asset: Asset, equality: JointEquality, scale: float) -> list[float]:
    """Coefficients of an actor that is larger: slides move further, hinges do not turn further."""
    slides = {joint.name for joint in asset.joints if joint.kind is JointKind.PRISMATIC}
    follower = scale if equality.joint in slides else 1.0
    leader = scale if equality.leader in slides else 1.0
    return [c * follower / leader**i for i, c in enumerate(equality.coefficients)]


def _unit(quat: Sequence[float]) -> np.ndarray:
    return np.asarray(quat, np.float64) / np.linalg.norm(quat)
