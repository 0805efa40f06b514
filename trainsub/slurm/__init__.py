"""Slurm's language, one file per command: argument lists, answers, states, units, hostlists, TRES.

Owns every word that goes to a Slurm command and every word that comes back. Pure: runs nothing, reads no clock.

``states``, ``units`` and ``hostlist`` also run inside the allocation: standard library only, Python 3.6 syntax.
"""
