"""The bench on MuJoCo C: the same scene, compiled by the same code, float64 on the CPU.

MuJoCo runs as it comes: Euler (implicitfast where there are position drives, as its documentation advises), Newton,
default softness; but for elliptic cones. Friction of a pair is the average that Kilogym takes. MuJoCo has no
coefficient of restitution; a pair that bounces gets undamped springs of stiffness 1 / dt^2 (solref), its own way to
elastic contacts. Speed limits, substeps and solver settings of Kilogym mean nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from kilogym.engine.model import PARAMETERS
from kilogym.math.quaternion import quat_from_wxyz
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene
from kilogym.validation.case import ExperimentError
from kilogym.validation.mujoco_model import Layout, build
from kilogym.validation.world import Actor, World, actor_parts


class MujocoWorld(World):
    """See :class:`World`. Takes the arguments of `KilogymWorld`; those of Kilogym's solver are ignored."""

    def __init__(
        self,
        actors: Sequence[Actor],
        envs: int = 1,
        ground: bool | GroundPlane = True,
        dt: float = 1 / 120,
        gravity=(0.0, 0.0, -9.81),
        **ignored,
    ) -> None:
        scene = Scene()
        if ground is not False:
            scene.add_ground(GroundPlane() if ground is True else ground)
        scene.create_env((0, 0, 0), (0, 0, 0), 1)
        for asset, pos, quat in actor_parts(actors):
            scene.create_actor(0, asset, pos, quat, rest_offset=0.0)
        (plan,) = compile_scene(scene)
        self.plan = plan
        self.envs, self.actors, self.dofs, self.dt = envs, plan.model.num_trees, plan.model.num_dofs, dt
        self._gravity = gravity
        self._params = {
            name: np.repeat(values.reshape(-1, 1), envs, axis=1) for name, values in plan.model.params.items()
        }
        self._targets, self._efforts = np.zeros((2, envs, self.dofs))
        self._push: np.ndarray | None = None
        self._build()
        roots = np.zeros((envs, self.actors, 13))
        roots[..., :3] = plan.root_pos[:, 0].reshape(-1, 3)
        roots[..., 3:7] = plan.root_quat[:, 0].reshape(-1, 4)
        self.set_roots(roots)

    def _build(self) -> None:
        """Models of all envs from the parameters, each with data of its own. Drive modes are those of env 0."""
        self.layout = Layout(self.plan.model, self._params["dof_mode"][:, 0])
        self.models: list[mujoco.MjModel] = []
        for env in range(self.envs):
            params = {name: values[:, env].reshape(-1, PARAMETERS[name][1]) for name, values in self._params.items()}
            same = env and all((v == v[:, :1]).all() for v in self._params.values())
            self.models.append(self.models[0].__copy__() if same else build(self.plan.model, params, self.dt))
        for model in self.models:
            model.opt.timestep, model.opt.gravity[:] = self.dt, self._gravity
        self.data = [mujoco.MjData(model) for model in self.models]

    def set_parameter(self, name: str, values) -> None:
        roots, dofs = self.roots(), self.dof_states()
        self._params[name][:] = values
        self._build()
        self.set_roots(roots)
        if self.dofs:
            self.set_dofs(dofs)

    def change(self, *, dt=None, gravity=None) -> None:
        self.dt = self.dt if dt is None else dt
        self._gravity = self._gravity if gravity is None else gravity
        for model in self.models:
            model.opt.timestep, model.opt.gravity[:] = self.dt, self._gravity

    # states -----------------------------------------------------------------------------------------------------

    def bodies(self) -> np.ndarray:
        out = np.empty((self.envs, self.plan.model.num_links, 13))
        for row, model, data in zip(out, self.models, self.data, strict=True):
            row[:, :3], row[:, 3:7] = data.xpos[1:], quat_from_wxyz(data.xquat[1:])
            # cvel: angular velocity, then that of the point at the tree's com
            row[:, 10:13] = data.cvel[1:, :3]
            arm = data.xipos[1:] - data.subtree_com[model.body_rootid[1:]]
            row[:, 7:10] = data.cvel[1:, 3:] + np.cross(data.cvel[1:, :3], arm)
        return out

    def roots(self) -> np.ndarray:
        return self.bodies()[:, self.layout.roots]

    def dof_states(self) -> np.ndarray:
        out = np.empty((self.envs, self.dofs, 2))
        for row, data in zip(out, self.data, strict=True):
            row[:, 1] = data.qvel[self.layout.dof_v]
            for first, at, width in self.layout.joints:
                if width == 1:
                    row[first, 0] = data.qpos[at]
                else:
                    turn = Rotation.from_quat(data.qpos[at : at + 4], scalar_first=True)
                    row[first : first + 3, 0] = turn.as_rotvec()
        return out

    def set_roots(self, states: np.ndarray) -> None:
        for env, (model, data) in enumerate(zip(self.models, self.data, strict=True)):
            for tree, link in enumerate(self.layout.roots):
                state, body = states[env, tree], link + 1
                quat = state[[6, 3, 4, 5]]
                joint = self.layout.free[tree]
                if joint is None:
                    model.body_pos[body], model.body_quat[body] = state[:3], quat
                    continue
                at, v = joint
                turn = Rotation.from_quat(state[3:7])
                data.qpos[at : at + 7] = [*state[:3], *quat]
                # MuJoCo's is the velocity of the frame's origin, and the angular one in the body's axes
                data.qvel[v : v + 3] = state[7:10] - np.cross(state[10:13], turn.apply(model.body_ipos[body]))
                data.qvel[v + 3 : v + 6] = turn.inv().apply(state[10:13])
        self._written()

    def set_dofs(self, states: np.ndarray) -> None:
        for env, data in enumerate(self.data):
            data.qvel[self.layout.dof_v] = states[env, :, 1]
            for first, at, width in self.layout.joints:
                q = states[env, first : first + width, 0]
                if width == 1:
                    data.qpos[at] = q[0]
                else:
                    data.qpos[at : at + 4] = Rotation.from_rotvec(q).as_quat(scalar_first=True)
        self._written()

    def _written(self) -> None:
        for model, data in zip(self.models, self.data, strict=True):
            data.qacc_warmstart[:] = 0
            mujoco.mj_forward(model, data)

    # inputs and steps ---------------------------------------------------------------------------------------------

    def aim(self, targets: np.ndarray) -> None:
        self._targets[:] = targets

    def drive(self, efforts: np.ndarray) -> None:
        self._efforts[:] = efforts

    def push(self, forces: np.ndarray) -> None:
        self._push = np.broadcast_to(forces, (self.envs, self.plan.model.num_links, 3))

    def step(self, steps: int = 1) -> None:
        for _ in range(steps):
            for env, (model, data) in enumerate(zip(self.models, self.data, strict=True)):
                if not np.isfinite(data.qacc).all():
                    continue  # diverged: all its shapes would touch each other, at a hundred times the price of a step
                if model.nu:
                    data.ctrl[:] = self._targets[env, self.layout.actuated]
                data.qfrc_applied[self.layout.dof_v] = np.where(self.layout.effort, self._efforts[env], 0)
                if self._push is not None:
                    data.xfrc_applied[1:, :3] = self._push[env]
                mujoco.mj_step(model, data)
                if self._push is not None:
                    data.xfrc_applied[:] = 0
                mujoco.mj_kinematics(model, data)
                mujoco.mj_comPos(model, data)
                mujoco.mj_comVel(model, data)
            self._push = None

    def diverged(self) -> list[int]:
        return [i for i, d in enumerate(self.data) if not all(np.isfinite(v).all() for v in (d.qpos, d.qvel, d.qacc))]

    def check(self) -> None:
        if bad := self.diverged():
            raise ExperimentError(f"{len(bad)} of {self.envs} envs diverged")

    # forces -------------------------------------------------------------------------------------------------------

    def _contact_forces(self, env: int) -> list[tuple[int, int, np.ndarray, float]]:
        """(body 1, body 2, force on body 2 in world axes, its normal part) of every contact of the last step."""
        model, data, out = self.models[env], self.data[env], []
        for i in range(data.ncon):
            contact, force = data.contact[i], np.zeros(6)
            mujoco.mj_contactForce(model, data, i, force)
            one, two = (model.geom_bodyid[g] for g in contact.geom)
            out.append((one, two, contact.frame.reshape(3, 3).T @ force[:3], force[0]))
        return out

    def overlaps(self, envs: Sequence[int]) -> np.ndarray:
        """How deep shapes are in each other and in the ground in these envs [m], one number per contact point."""
        depths = [-self.data[env].contact.dist for env in envs]
        found = np.concatenate(depths) if depths else np.zeros(0)
        return found[found > 0]

    def forces(self) -> np.ndarray:
        out = np.zeros((self.envs, self.plan.model.num_links + 1, 3))
        for env in range(self.envs):
            for one, two, force, _ in self._contact_forces(env):
                out[env, one] -= force
                out[env, two] += force
        return out[:, 1:]

    def corner_loads(self) -> np.ndarray:
        return np.array([normal for *_, normal in self._contact_forces(0) if normal > 0])

    def dof_forces(self) -> np.ndarray:
        """Actuators and constraints; without contacts only, whose forces are constraints as well."""
        at = self.layout.dof_v
        return np.array([d.qfrc_actuator[at] + d.qfrc_constraint[at] + d.qfrc_passive[at] for d in self.data])
