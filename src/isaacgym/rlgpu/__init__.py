"""Empty on purpose: some clients write `from isaacgym import rlgpu` and use nothing of it."""
