"""Pictures and films without a graphics stack: a small ray tracer in Warp, for CPU and CUDA alike.

>>> drawing = Drawing()
>>> drawing.add_actor(asset, origin=(2.0, 0.0, 0.0))
>>> drawing.set_poses(body_states)          # (bodies, 7 or 13), every frame
>>> picture = Renderer(640, 360).render(drawing, drawing.overview())
>>> write_png("ant.png", picture)
"""

from kilogym.viewer.camera import Camera, FollowCamera, ease
from kilogym.viewer.drawing import WORLD, Drawing, Instance
from kilogym.viewer.movies import film_writer, write_gif, write_mp4, write_png
from kilogym.viewer.renderer import Hits, Renderer
from kilogym.viewer.style import DUSK, PALETTE, Style, actor_color

__all__ = [
    "DUSK",
    "PALETTE",
    "WORLD",
    "Camera",
    "Drawing",
    "FollowCamera",
    "Hits",
    "Instance",
    "Renderer",
    "Style",
    "actor_color",
    "ease",
    "film_writer",
    "write_gif",
    "write_mp4",
    "write_png",
]
