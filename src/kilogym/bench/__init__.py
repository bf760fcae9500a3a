"""Measurements: speed and quality of the physics, beside other engines, in one run on one machine.

`python -m kilogym.bench.physics --help` is the program; `physics.main` is what `kilogym bench` can call.
"""
