"""Stand-in for `tkinter` where Python was built without it: an editor's auto-import left `from tkinter import
W` in a client. Only such constants are here; a program that wants windows gets the ImportError it would have
got."""

from __future__ import annotations

N, S, W, E = "n", "s", "w", "e"
NW, SW, NE, SE, NS, EW, NSEW = "nw", "sw", "ne", "se", "ns", "ew", "nsew"
X, Y, BOTH, NONE = "x", "y", "both", "none"
LEFT, RIGHT, TOP, BOTTOM, CENTER = "left", "right", "top", "bottom", "center"
END, ALL = "end", "all"
