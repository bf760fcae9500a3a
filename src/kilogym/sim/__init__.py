"""A simulation: batches of envs behind sim-wide tensors."""

from kilogym.sim.errors import FaultError, FaultWarning, SimulationError
from kilogym.sim.params import ContactCollection, CoordinateSpace, SimulationParams
from kilogym.sim.simulation import Simulation

__all__ = [
    "ContactCollection",
    "CoordinateSpace",
    "FaultError",
    "FaultWarning",
    "Simulation",
    "SimulationError",
    "SimulationParams",
]
