"""The coalition simulator: real nodes over a simulated network, clock and disk; ten laws checked."""

from tearline.simulate.laws import Breach
from tearline.simulate.world import FAULTS, Plan, Report, run

__all__ = ["FAULTS", "Breach", "Plan", "Report", "run"]
