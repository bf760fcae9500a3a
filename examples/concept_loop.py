"""The loop of Isaac Gym's documentation, run for real: thousands of arms learn to reach by its API alone.

    python examples/concept_loop.py                    # 4096 arms on cuda:0, or on the CPU without a GPU
    python examples/concept_loop.py --num-envs 256     # fewer, for a laptop

Every step: simulate, fetch the results, observe, ask the policy network, apply its actions, reward, update
the policy. The arm (arm7.urdf) follows joint position targets; the policy moves the targets. The reward of an
action is by how much it brings the hand nearer to a random goal, so the policy gradient needs no look-ahead:
one step of gradient ascent on E[advantage * log probability] per step of the simulation.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from isaacgym import gymapi, gymtorch  # isort: skip  (Isaac Gym wants to come before torch)
import torch

STEPS_PER_GOAL = 100
"""Steps after which an arm starts anew with another goal."""
LARGEST_MOVE = 0.08
"""How far an action of 1 moves a joint's target ahead of the joint [rad]."""
NOISE = 0.4
"""Standard deviation of the actions while learning; it falls to a quarter of this."""
REACHED = 0.05
"""Mean distance of hand and goal that counts as reaching [m]."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, default=4096, help="arms simulated at once")
    parser.add_argument("--steps", type=int, default=1200, help="simulation steps")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    on_gpu = torch.cuda.is_available()
    device = "cuda:0" if on_gpu else "cpu"

    # the simulation
    gym = gymapi.acquire_gym()
    sim_params = gymapi.SimParams()
    sim_params.dt = 1.0 / 60.0
    sim_params.substeps = 2
    sim_params.up_axis = gymapi.UP_AXIS_Z
    sim_params.gravity = gymapi.Vec3(0.0, 0.0, -9.81)
    sim_params.physx.use_gpu = on_gpu
    sim_params.use_gpu_pipeline = on_gpu
    sim = gym.create_sim(0, 0, gymapi.SIM_PHYSX, sim_params)
    if sim is None:
        print("could not create the simulation", file=sys.stderr)
        return 1
    plane_params = gymapi.PlaneParams()
    plane_params.normal = gymapi.Vec3(0.0, 0.0, 1.0)
    gym.add_ground(sim, plane_params)

    # the arm
    asset_options = gymapi.AssetOptions()
    asset_options.fix_base_link = True
    asset_options.disable_gravity = True
    asset_options.default_dof_drive_mode = gymapi.DOF_MODE_POS
    asset = gym.load_asset(sim, str(Path(__file__).parent), "arm7.urdf", asset_options)
    num_dofs = gym.get_asset_dof_count(asset)
    dof_props = gym.get_asset_dof_properties(asset)
    dof_props["driveMode"].fill(gymapi.DOF_MODE_POS)
    dof_props["stiffness"].fill(4000.0)
    dof_props["damping"].fill(80.0)

    # one env per arm, 64 in a row
    num_envs = args.num_envs
    envs_per_row = 64
    lower, upper = gymapi.Vec3(-1.0, -1.0, 0.0), gymapi.Vec3(1.0, 1.0, 2.0)
    pose = gymapi.Transform()
    envs = []
    for i in range(num_envs):
        env = gym.create_env(sim, lower, upper, envs_per_row)
        arm = gym.create_actor(env, asset, pose, "arm", i, 1)
        gym.set_actor_dof_properties(env, arm, dof_props)
        envs.append(env)
    gym.prepare_sim(sim)

    # views of the state, in the device's memory
    dof_states = gymtorch.wrap_tensor(gym.acquire_dof_state_tensor(sim)).view(num_envs, num_dofs, 2)
    body_states = gymtorch.wrap_tensor(gym.acquire_rigid_body_state_tensor(sim)).view(num_envs, -1, 13)
    hand = gym.find_actor_rigid_body_handle(envs[0], arm, "hand")
    angles, speeds = dof_states[..., 0], dof_states[..., 1]
    lower_limits = torch.tensor(dof_props["lower"], device=device)
    upper_limits = torch.tensor(dof_props["upper"], device=device)
    all_arms = torch.arange(num_envs, dtype=torch.int32, device=device)

    # the policy network, and what it is asked to do
    policy = torch.nn.Sequential(
        torch.nn.Linear(3 * num_dofs + 6, 128),
        torch.nn.ELU(),
        torch.nn.Linear(128, 64),
        torch.nn.ELU(),
        torch.nn.Linear(64, num_dofs),
    ).to(device)
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.2, total_iters=args.steps)
    # an arm bent forwards; goals in a half shell in front of it, within its reach
    rest = torch.tensor([0.0, 0.6, 0.0, 1.2, 0.0, 0.6, 0.0], device=device)[:num_dofs]

    def random_goals() -> torch.Tensor:
        azimuth = (torch.rand(num_envs, device=device) - 0.5) * math.pi
        radius = 0.4 + 0.3 * torch.rand(num_envs, device=device)
        height = 0.2 + 0.6 * torch.rand(num_envs, device=device)
        return torch.stack([radius * azimuth.cos(), radius * azimuth.sin(), height], dim=-1)

    def restart() -> torch.Tensor:
        noise = 0.6 * (torch.rand(num_envs, num_dofs, device=device) - 0.5)
        dof_states[..., 0] = rest + noise
        dof_states[..., 1] = 0.0
        flat = dof_states.view(-1, 2)
        gym.set_dof_state_tensor_indexed(sim, gymtorch.unwrap_tensor(flat), gymtorch.unwrap_tensor(all_arms), num_envs)
        targets = (rest + noise).contiguous()
        gym.set_dof_position_target_tensor(sim, gymtorch.unwrap_tensor(targets))
        return random_goals()

    goals = restart()
    last_distance = log_probability = None
    final_distances: list[float] = []  # mean distance at the end of each round of goals [m]

    for step in range(args.steps):
        learning = step < args.steps - STEPS_PER_GOAL  # the last round shows what was learned: no noise, no updates
        noise = NOISE * (1.0 - 0.75 * step / args.steps)
        # step the physics
        gym.simulate(sim)
        gym.fetch_results(sim, True)

        # observe: joint angles and the end effector's position
        gym.refresh_dof_state_tensor(sim)
        gym.refresh_rigid_body_state_tensor(sim)
        hand_position = body_states[:, hand, 0:3]
        to_goal = goals - hand_position
        distance = to_goal.norm(dim=-1)

        # reward the last action, and update the policy
        if log_probability is not None and learning:
            reward = last_distance - distance
            advantage = (reward - reward.mean()) / (reward.std() + 1e-6)
            loss = -(advantage * log_probability).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

        # a new round: every arm gets another goal
        if (step + 1) % STEPS_PER_GOAL == 0:
            final_distances.append(distance.mean().item())
            print(f"step {step + 1:5d}  mean distance to the goal {final_distances[-1]:.3f} m", flush=True)
            goals = restart()
            last_distance = log_probability = None
            continue

        # the policy network, on the device
        obs = torch.cat([angles.sin(), angles.cos(), 0.2 * speeds, hand_position, 4.0 * to_goal], dim=-1)
        mean = policy(obs)
        actions = (mean + noise * torch.randn_like(mean) if learning else mean).detach()
        log_probability = -((actions - mean) ** 2).sum(-1) / (2.0 * noise**2)

        # apply the actions
        targets = angles + LARGEST_MOVE * actions.clamp(-1.0, 1.0)
        targets = torch.clamp(targets, lower_limits, upper_limits).contiguous()
        gym.set_dof_position_target_tensor(sim, gymtorch.unwrap_tensor(targets))
        last_distance = distance

    gym.destroy_sim(sim)
    if len(final_distances) < 2:
        print(f"too few steps to tell whether it learns: take at least {2 * STEPS_PER_GOAL}", file=sys.stderr)
        return 1
    reaches = final_distances[-1] < REACHED
    verdict = "the arms reach" if reaches else f"the arms do not reach: expected less than {REACHED} m"
    print(f"mean distance to the last goals, without noise: {final_distances[-1]:.3f} m: {verdict}")
    return 0 if reaches else 1


if __name__ == "__main__":
    sys.exit(main())
