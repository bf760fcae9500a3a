"""Small modules with the interface of one that is gone; `kilogym.compat.modules` imports them under the old
name."""
