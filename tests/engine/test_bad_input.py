"""What a batch refuses, with its message."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from kilogym.engine.batch import Batch, EngineOptions
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.trees import load
from kilogym.validation.zoo import CARTPOLE


@pytest.fixture(scope="module")
def world(device) -> BatchWorld:
    return BatchWorld([load(CARTPOLE, fix_base_link=True)], 3, device)


def test_no_envs(world, device):
    with pytest.raises(ValueError, match="expected num_envs >= 1, got 0"):
        Batch(world.model, 0, device)


def test_odd_lanes_and_blocks(world, device):
    with pytest.raises(ValueError, match=r"EngineOptions\.lanes: expected 0 \(chosen\), 1, 2, 4, 8, 16 or 32, got 5"):
        Batch(world.model, 1, device, EngineOptions(lanes=5))
    with pytest.raises(ValueError, match=r"EngineOptions\.searchers: expected 0 \(chosen\), 1, .* or 32, got 64"):
        Batch(world.model, 1, device, EngineOptions(searchers=64))
    with pytest.raises(ValueError, match=r"block_dim: expected 0 \(chosen\) or a multiple of 32, got 48"):
        Batch(world.model, 1, device, EngineOptions(block_dim=48))
    with pytest.raises(ValueError, match=r"registers: expected 0 \(chosen\) or 24 to 255, got 5000"):
        Batch(world.model, 1, device, EngineOptions(registers=5000))


def test_parameters_of_another_size(world, device):
    whole = world.model.params["link_mass"]
    world.model.params["link_mass"] = np.ones(1)
    try:
        with pytest.raises(ValueError, match=re.escape("EnvModel.params['link_mass']: expected 3 x 1 numbers, got 1")):
            Batch(world.model, 1, device)
    finally:
        world.model.params["link_mass"] = whole


def test_results_need_room(world):
    links = world.model.num_links

    def out(*shape: int, **how) -> torch.Tensor:
        return torch.empty(shape, **{"device": world.device, **how})

    with pytest.raises(ValueError, match=re.escape(f"of shape (3, {links}, 13), got torch.float32 (2, {links}, 13)")):
        world.batch.kinematics(out(2, links, 13))
    with pytest.raises(ValueError, match=re.escape("torch.float32 tensor of shape (3, 2, 2), got torch.float64")):
        world.batch.mass_matrix(0, out(3, 2, 2, dtype=torch.float64))
    with pytest.raises(ValueError, match="expected a contiguous"):
        world.batch.mass_matrix(0, out(3, 4, 2)[:, ::2])
    with pytest.raises(ValueError, match="expected a tensor on"):
        world.batch.mass_matrix(0, out(3, 2, 2, device="meta"))


def test_settings_that_do_not_exist(world):
    with pytest.raises(AttributeError, match="StepControl has no setting 'iteration'; there are dt, "):
        world.batch.control.iteration = 3
    with pytest.raises(AttributeError, match="StepControl has no setting 'gravitiy'; there are dt, "):
        _ = world.batch.control.gravitiy


def test_snapshots_of_another_batch(world, device):
    saved = BatchWorld([load(CARTPOLE, fix_base_link=True)], 2, device).batch.snapshot()
    with pytest.raises(ValueError, match=re.escape("restore, 'root_pos': expected shape (3, 3), got (3, 2)")):
        world.batch.restore(saved)
    saved = world.batch.snapshot()
    del saved["dof_vel"]
    with pytest.raises(ValueError, match=re.escape("restore: 'dof_vel' is missing; expected what snapshot() returned")):
        world.batch.restore(saved)


def test_the_mask_of_a_warm_start(world):
    with pytest.raises(ValueError, match=re.escape("written: expected shape (1, 3), trees by envs, got (3,)")):
        world.batch.clear_warm_start(torch.ones(3, dtype=torch.int32, device=world.device))
