"""An engine's batch whose physics is simple enough to predict: what it was told is what its arrays show."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from kilogym.engine.model import INPUT, JOINT_PRISMATIC, OUTPUT, PARAMETERS, STATE
from kilogym.sim.backend import apply_params


def rotate(q, v):
    xyz = q[..., :3]
    t = 2 * torch.linalg.cross(xyz, v, dim=-1)
    return v + q[..., 3:] * t + torch.linalg.cross(xyz, t, dim=-1)


def multiply(a, b):
    av, aw, bv, bw = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    v = aw * bv + bw * av + torch.linalg.cross(av, bv, dim=-1)
    return torch.cat([v, aw * bw - (av * bv).sum(-1, keepdim=True)], -1)


class FakeBatch:
    """Integrates velocities; efforts and forces act on unit masses; outputs are numbered by row and env."""

    modules = ()  # nothing is compiled here
    captured_substeps = 0

    def __init__(self, model, num_envs, device):
        self.model, self.num_envs, self.device = model, num_envs, device
        self.params = {
            name: torch.tensor(model.params[name], dtype=torch.float32, device=device).reshape(-1, 1)
            for name in PARAMETERS
        }
        make = lambda table: {  # noqa: E731
            name: torch.zeros(model.count(per) * n, num_envs, device=device) for name, (per, n, _) in table.items()
        }
        self.state, self.input, self.output = make(STATE), make(INPUT), make(OUTPUT)
        self.state["root_quat"].view(-1, 4, num_envs)[:, 3] = 1.0
        self.warm_start = torch.zeros(model.num_trees, num_envs, device=device)
        self.fault = torch.zeros(num_envs, dtype=torch.int32, device=device)
        self.contact_count = torch.zeros(num_envs, dtype=torch.int32, device=device)
        self.contact_overflow = torch.zeros(num_envs, dtype=torch.int32, device=device)
        self.control = SimpleNamespace(has_wrench=False)

    @classmethod
    def make(cls, model, num_envs, device, params):
        batch = cls(model, num_envs, device)
        apply_params(batch, params)
        return batch

    def expand(self, name):
        self.params[name] = self.params[name].expand(-1, self.num_envs).contiguous()

    def changed(self, names=None, elsewhere=""):
        """Parameters are read where they stand."""

    def step(self):
        s, dt = self.state, self.control.dt
        roots = [i for i, parent in enumerate(self.model.link_parent) if parent < 0]
        for tree, link in enumerate(roots):
            if self.model.tree_floating[tree]:
                here, there = slice(3 * link, 3 * link + 3), slice(3 * tree, 3 * tree + 3)
                s["root_lin_vel"][there] += dt * self.input["link_force"][here]
                s["root_ang_vel"][there] += dt * self.input["link_torque"][here]
        self.input["link_force"].zero_()
        self.input["link_torque"].zero_()
        s["dof_vel"] += dt * self.input["dof_effort_in"]
        s["dof_pos"] += dt * s["dof_vel"]
        s["root_pos"] += dt * s["root_lin_vel"]
        self.warm_start += 1
        for values in self.output.values():
            rows = torch.arange(len(values), device=self.device)[:, None]
            values.copy_(rows + 1000.0 * torch.arange(self.num_envs, device=self.device))
        bad = ~torch.stack([torch.isfinite(x).all(0) for x in s.values()]).all(0)
        self.fault |= bad.to(torch.int32)

    def _param(self, name, item, n):
        rows = self.params[name][item * n : item * n + n]
        return rows.expand(-1, self.num_envs).T

    def kinematics(self, out):
        m, s = self.model, self.state
        joints = {}  # no ball joints, so a joint's index is its DOF's
        for joint, (kind, link) in enumerate(zip(m.joint_kind, m.joint_link, strict=True)):
            joints.setdefault(link, []).append((joint, kind))
        out.zero_()
        tree = -1
        for link, parent in enumerate(m.link_parent):
            if parent < 0:
                tree += 1
                out[:, link, 0:3] = s["root_pos"][3 * tree : 3 * tree + 3].T
                out[:, link, 3:7] = s["root_quat"][4 * tree : 4 * tree + 4].T
                out[:, link, 7:10] = s["root_lin_vel"][3 * tree : 3 * tree + 3].T
                out[:, link, 10:13] = s["root_ang_vel"][3 * tree : 3 * tree + 3].T
                continue
            p, q = out[:, parent, 0:3], out[:, parent, 3:7]
            pos = p + rotate(q, self._param("link_pos", link, 3))
            quat = multiply(q, self._param("link_quat", link, 4))
            for joint, kind in joints.get(link, []):
                axis, angle = self._param("joint_axis", joint, 3), s["dof_pos"][joint][:, None]
                if kind == JOINT_PRISMATIC:
                    pos = pos + rotate(quat, axis * angle)
                else:
                    quat = multiply(quat, torch.cat([axis * (angle / 2).sin(), (angle / 2).cos()], -1))
            out[:, link, 0:3], out[:, link, 3:7] = pos, quat

    def jacobian(self, tree, out):
        numbers = 100.0 * tree + torch.arange(self.num_envs, device=self.device)
        out.copy_(numbers.view(-1, *[1] * (out.dim() - 1)).expand_as(out))

    mass_matrix = jacobian

    def clear_warm_start(self, mask):
        self.warm_start[mask != 0] = 0

    def snapshot(self):
        return {name: t.clone() for name, t in [*self.state.items(), ("warm_start", self.warm_start)]}

    def restore(self, snapshot):
        for name, t in self.state.items():
            t.copy_(snapshot[name])
        self.warm_start.copy_(snapshot["warm_start"])
