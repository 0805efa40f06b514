"""What a run leaves on the cluster: names, paths, and the forms of the small files in its directory.

Owns the layout under ``remote_root``. Pure, standard library only, Python 3.6 syntax: the supervisor reads the same.
"""
