"""`import kilogym.compat.auto` installs every shim: one line at the top of a script of your own."""

from kilogym.compat import install

install()
