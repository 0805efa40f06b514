"""minislurm: a stand-in for Slurm on one machine, reached by its commands and never imported.

It answers as Slurm does to what trainsub and its templates ask, as far as the contract in ``tests/contract`` goes; what
is expected there was recorded from real Slurm. It is no scheduler to grow: beyond one machine, Slurm runs things.

``__main__`` is the one entry; ``conf`` what the cluster has, ``values`` what a job is, ``queue`` where jobs are kept;
``sbatch``, ``srun``, ``squeue`` and so on are the commands; ``keeper`` starts jobs and ``stepd`` runs one.
"""
