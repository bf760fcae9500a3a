"""Single contacts as records of `RigidContact.dtype`."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.records import RigidContact


class ContactRecords:
    """Contacts of the last step, env by env. Host sync: yes.

    They are the engine's (kilogym.sim.contacts.Contacts), of the last substep: body0 can move, body1 is -1 where it is
    ground or terrain; localPos0 and localPos1 are where the force acts, in the bodies' frames (env's frame for -1), and
    offsets are 0; initialOverlap is that at the start of the substep, negative where they are apart; minDist is the
    distance they rest at [m]; lambda is the normal force, lambdaFriction that along two tangents of the normal [N].
    """

    def __init__(self, simulation: Any) -> None:
        contacts = simulation.contacts
        simulation.refresh_contacts()
        host = {name: tensor.cpu().numpy() for name, tensor in vars(contacts).items()}
        count = host.pop("count")
        self._ends = np.cumsum(count)
        env, slot = np.nonzero(np.arange(host["gaps"].shape[1]) < count[:, None])
        c = {name: values[env, slot] for name, values in host.items()}
        self.rows = rows = np.zeros(len(env), RigidContact.dtype)
        static = c["bodies"][:, 1] < 0
        rows["env0"], rows["env1"] = env, np.where(static, -1, env)
        rows["body0"], rows["body1"] = c["bodies"].T
        _put(rows["localPos0"], c["local_points"][:, 0])
        _put(rows["localPos1"], c["local_points"][:, 1])
        rows["minDist"], rows["initialOverlap"] = c["rest_offsets"], -c["start_gaps"]
        _put(rows["normal"], -c["normals"])
        rows["lambda"] = _dot(c["forces"], c["normals"])
        first, second = _tangents(c["normals"])
        rows["lambdaFriction"]["x"], rows["lambdaFriction"]["y"] = _dot(c["forces"], first), _dot(c["forces"], second)
        rows["friction"] = c["friction"]
        rows["torsionFriction"], rows["rollingFriction"] = c["torsion_friction"], c["rolling_friction"]

    def of_env(self, env: int) -> np.ndarray:
        """Those of one env."""
        return self.rows[self._ends[env - 1] if env else 0 : self._ends[env]]


def _put(records: np.ndarray, values: np.ndarray) -> None:
    for axis, name in enumerate("xyz"):
        records[name] = values[:, axis]


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ni,ni->n", a, b)


def _tangents(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors across each normal."""
    least = np.eye(3, dtype=normals.dtype)[np.abs(normals).argmin(axis=1)]
    first = np.cross(normals, least)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(normals, first)
