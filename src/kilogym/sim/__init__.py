"""A simulation: batches of envs behind sim-wide tensors."""

from kilogym.sim.errors import FaultError, FaultWarning, SimulationError
from kilogym.sim.faults import FaultReport
from kilogym.sim.params import ContactCollection, CoordinateSpace, SimulationParams
from kilogym.sim.saved import SavedState
from kilogym.sim.simulation import Simulation

__all__ = [
    "ContactCollection",
    "CoordinateSpace",
    "FaultError",
    "FaultReport",
    "FaultWarning",
    "SavedState",
    "Simulation",
    "SimulationError",
    "SimulationParams",
]
