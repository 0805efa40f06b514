"""From what is known and what the cluster said to what is known now. Pure: no clock, no network, no disk.

The rules (docs/explanation/states.md):

* a failed question changes nothing;
* absence from squeue is not an end, and an active row in squeue is never overruled;
* an end is what Slurm calls an end, or, where Slurm keeps no accounts, what the run itself recorded;
* states may go backwards: a requeue makes a running job wait again.
"""
