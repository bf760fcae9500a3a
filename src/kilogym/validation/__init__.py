"""How true the physics is: experiments with a known outcome, their bars, and the card that shows them all.

A case is defined once, in `cases`. `kilogym validate` runs the cases and writes the card; the tests run the same cases
and fail on a bar that is missed, or met where it is listed as missed.
"""
