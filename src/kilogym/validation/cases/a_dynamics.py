"""Part A: smooth dynamics against MuJoCo in float64. Kinematics, inertia, bias, Jacobians, accelerations.

Both codes see the same state: it is rounded to the engine's precision before MuJoCo gets it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import mujoco
import numpy as np

from kilogym.validation import zoo
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.case import Case, Measure, Number, Precision, require
from kilogym.validation.lab import Lab
from kilogym.validation.oracle import Oracle, State

BOTH: tuple[Precision, ...] = ("float64", "float32")
ORACLE = "MuJoCo is the reference"
OTHERS = "worst of the others"


def worst(world: BatchWorld, tree: int, state: State, compare: Callable[[int, Oracle], float]) -> float:
    """Largest compare(env, oracle) over all envs, the oracle being in the env's state."""
    oracle, found = zoo.models()[1][tree], []
    for env in range(world.num_envs):
        oracle.set(world.tree_state(tree, env, state))
        found.append(compare(env, oracle))
    require(np.isfinite(found).all(), f"finite numbers of {zoo.NAMES[tree]}")
    return float(max(found))


def relative(ours: np.ndarray, exact: np.ndarray) -> float:
    return float(np.abs(ours - exact).max() / np.abs(exact).max())


def over_the_zoo(measure: Callable[[BatchWorld, int, State], float], seed: int) -> Measure:
    """The worst of all models, each in 32 random states."""

    def run(lab: Lab) -> dict[str, float]:
        world = zoo.world(lab.device, lab.precision)
        state = world.random_state(seed)
        world.set_state(state)
        return {"worst of all models": max(measure(world, tree, state) for tree in range(len(zoo.NAMES)))}

    return run


def kinematics(lab: Lab) -> dict[str, float]:
    world = zoo.world(lab.device, lab.precision)
    state = world.random_state(1)
    world.set_state(state)
    everything = world.query("kinematics", world.model.num_links, 13)
    poses, speeds = [], []
    for tree in range(len(zoo.NAMES)):
        bodies = everything[:, world.tree_links(tree)]
        depth: dict[int, int] = {}
        for i, link in enumerate(zoo.models()[0][tree].links):
            depth[i] = depth.get(link.parent, 0) + 1
        longest = max(depth.values())

        def pose(env: int, oracle: Oracle, bodies=bodies, longest=longest) -> float:
            exact = oracle.bodies()
            sign = np.sign(np.sum(exact[:, 3:7] * bodies[env, :, 3:7], axis=1, keepdims=True))
            turned = 2 * np.abs(exact[:, 3:7] - sign * bodies[env, :, 3:7]).max()  # radians, for small angles
            return max(np.abs(exact[:, :3] - bodies[env, :, :3]).max(), turned / longest)

        def speed(env: int, oracle: Oracle, bodies=bodies) -> float:
            return relative(bodies[env, :, 7:], oracle.bodies()[:, 7:])

        poses.append(worst(world, tree, state, pose))
        speeds.append(worst(world, tree, state, speed))
    return {"poses [m, rad / links in a row]": max(poses), "velocities, relative": max(speeds)}


def mass_matrix(world: BatchWorld, tree: int, state: State) -> float:
    n = zoo.models()[1][tree].n
    ours = world.query("mass_matrix", n, n, tree=tree)
    return worst(world, tree, state, lambda env, oracle: relative(ours[env], oracle.mass_matrix()))


def bias(world: BatchWorld, tree: int, state: State) -> float:
    ours = world.query("bias", len(world.batch.topology.v_link))[:, world.tree_v(tree)]
    return worst(world, tree, state, lambda env, oracle: relative(ours[env], oracle.bias()))


def jacobian(world: BatchWorld, tree: int, state: State) -> float:
    oracle = zoo.models()[1][tree]
    ours = world.query("jacobian", oracle.links - (not oracle.floating), 6, oracle.n, tree=tree)
    return worst(world, tree, state, lambda env, oracle: float(np.abs(ours[env] - oracle.jacobian()).max(initial=0)))


def accelerations(world: BatchWorld, state: State, seed: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """dv/dt of every velocity under random efforts and body wrenches; (a of each tree, tau, wrench).

    One semi-implicit step of a whole second is v + dv/dt, free of the rounding of a short step.
    """
    rng = np.random.default_rng(seed)
    control = world.batch.control
    control.dt, control.substeps, control.iterations, control.semi_implicit, control.has_wrench = 1.0, 1, 1, True, True
    world.batch.params["dof_mode"].fill_(3)
    tau = (rng.normal(size=(world.num_envs, world.model.num_dofs)) * 10).astype(np.float32)
    wrench = rng.normal(size=(world.num_envs, world.model.num_links, 6)).astype(np.float32)
    world.set_state(state)
    world.set_input(
        dof_effort_in=tau,
        link_force=wrench[:, :, :3].reshape(world.num_envs, -1),
        link_torque=wrench[:, :, 3:].reshape(world.num_envs, -1),
    )
    world.batch.step()
    control.has_wrench = False
    after = world.state()
    require(not world.batch.fault.any(), "no faults")
    a = [world.velocity(t, after) - world.velocity(t, state) for t in range(world.model.num_trees)]
    return a, tau.astype(np.float64), wrench.astype(np.float64)


@lru_cache(maxsize=2)
def accelerated(device: str, precision: Precision):
    """State, and what `accelerations` made of it: shared by two cases."""
    world = zoo.world(device, precision)
    state = world.random_state(5)
    return state, accelerations(world, state, 6)


def applied(world: BatchWorld, oracle: Oracle, tree: int, env: int, tau: np.ndarray, wrench: np.ndarray) -> np.ndarray:
    """Generalised force of efforts and wrenches, (n,)."""
    force = np.zeros(oracle.n)
    force[6 * oracle.floating :] = tau[env, world.tree_dofs(tree)]
    jacobian = oracle.jacobian(root=True)
    return force + np.einsum("lij,li->j", jacobian, wrench[env, world.tree_links(tree)])


def forward_dynamics(lab: Lab) -> dict[str, float]:
    world = zoo.world(lab.device, lab.precision)
    state, (a, tau, wrench) = accelerated(lab.device, lab.precision)
    found = {}
    for tree, name in enumerate(zoo.NAMES):

        def compare(env: int, oracle: Oracle, tree=tree) -> float:
            return relative(a[tree][env], oracle.acceleration(applied(world, oracle, tree, env, tau, wrench)))

        found[name] = worst(world, tree, state, compare)
    return {name: found.pop(name) for name in ("ant", "humanoid")} | {OTHERS: max(found.values())}


def inverse_dynamics(lab: Lab) -> dict[str, float]:
    world = zoo.world(lab.device, lab.precision)
    state, (a, tau, wrench) = accelerated(lab.device, lab.precision)
    largest, found = np.abs(tau).max(), []
    for tree in range(len(zoo.NAMES)):

        def compare(env: int, oracle: Oracle, tree=tree) -> float:
            force = applied(world, oracle, tree, env, tau, wrench)
            oracle.d.qacc[:] = oracle.T @ a[tree][env] + oracle.Tdot_v
            mujoco.mj_inverse(oracle.m, oracle.d)
            return float(np.abs(oracle.T.T @ oracle.d.qfrc_inverse - force).max() / largest)

        found.append(worst(world, tree, state, compare))
    return {"residual / largest effort": max(found)}


def far_away(lab: Lab) -> dict[str, float]:
    world = zoo.world(lab.device, lab.precision)
    state = world.random_state(7)
    near = accelerations(world, state, 8)[0]
    change = 0.0
    for distance in (10.0, 100.0, 1000.0, 10000.0):
        moved = dict(state)
        moved["root_pos"] = (state["root_pos"] + distance).astype(np.float32).astype(np.float64)
        far = accelerations(world, moved, 8)[0]
        change = max(change, *(float(np.abs(a - b).max()) for a, b in zip(near, far, strict=True)))
    return {"largest change of an acceleration": change}


def _zoo(id: str, name: str, what: str, bar64: float, bar: float, measure, seed: int) -> Case:
    numbers = (Number("worst of all models", bar, bar64=bar64),)
    return Case(id, "A", name, what, numbers, over_the_zoo(measure, seed), precisions=BOTH, without_mujoco=ORACLE)


CASES = (
    Case(
        "kinematics", "A", "poses and velocities of links",
        "Eleven models (Ant, Humanoid, cartpole, an arm, a free body, ball and slide joints, five joints on one body, "
        "welded bodies, random trees), 32 random states each: q ~ N(0, 0.5), v ~ N(0, 2).",
        (
            Number("poses [m, rad / links in a row]", 2e-6, bar64=1e-12),
            Number("velocities, relative", 2e-6, bar64=1e-12),
        ),
        kinematics, precisions=BOTH, without_mujoco=ORACLE,
    ),
    _zoo("mass-matrix", "mass matrix", "With armature; relative to its largest entry.", 1e-12, 1e-6, mass_matrix, 2),
    _zoo("bias", "bias", "Coriolis, centrifugal and gravity forces; relative to the largest.", 1e-12, 5e-6, bias, 3),
    _zoo("jacobian", "Jacobian", "Of every link's com and rotation.", 1e-12, 2e-6, jacobian, 4),
    Case(
        "forward-dynamics", "A", "accelerations",
        "Under random efforts (10 N m) and wrenches on every link; relative to the largest. Five joints on one body "
        "make M nearly singular, with a condition number of 6e4 (Humanoid 4e3, Ant 80).",
        (
            Number("ant", 2e-6, bar64=1e-11), Number("humanoid", 5e-5, bar64=1e-11),
            Number(OTHERS, 5e-5, bar64=1e-11),
        ),
        forward_dynamics, precisions=BOTH, without_mujoco=ORACLE,
    ),
    Case(
        "inverse-dynamics", "A", "M a + bias - tau", "MuJoCo's inverse dynamics of our acceleration gives back the "
        "forces.",
        (Number("residual / largest effort", 1e-4, bar64=1e-11),), inverse_dynamics, precisions=BOTH,
        without_mujoco=ORACLE,
    ),
    Case(
        "far-away", "A", "root at 10 m to 10 km", "Nothing in an acceleration knows where the root is: the same bits.",
        (Number("largest change of an acceleration", 0.0),), far_away, without_mujoco="it is about Kilogym's own "
        "rounding",
    ),
)  # fmt: skip
