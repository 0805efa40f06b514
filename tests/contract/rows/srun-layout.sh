# How srun spreads tasks over nodes, and what it says of more than the job has

tells job <<'END'
# Which nodes a step gets that is smaller than the job is Slurm's choice: it takes turns.
ranks='echo "$SLURM_PROCID: node $SLURM_NODEID, local $SLURM_LOCALID of $SLURM_NTASKS on $SLURM_STEP_NUM_NODES ($SLURM_STEP_TASKS_PER_NODE)"'
where='echo "$SLURM_PROCID: $SLURMD_NODENAME $SLURM_NODEID $SLURM_LOCALID of $SLURM_NTASKS on $SLURM_STEP_NUM_NODES ($SLURM_STEP_TASKS_PER_NODE)"'
told default srun sh -c "$where"
told "-n 3" srun -n 3 sh -c "$where"
told "-n 1" srun -n 1 sh -c "$ranks"
told "-N 2" srun -N 2 sh -c "$ranks"
told "-N 2 a node" srun -N 2 --ntasks-per-node=1 sh -c "$ranks"
told "-N 2 -n 2 a node" srun -N 2 -n 2 --ntasks-per-node=1 sh -c "$ranks"
told "-N 1 -n 2" srun -N 1 -n 2 sh -c "$ranks"
told block srun -n 6 --distribution=block sh -c "$where"
told cyclic srun -n 6 --distribution=cyclic sh -c "$where"
told plane srun -n 6 --distribution=plane=2 sh -c "$where"
told "-w" srun -n 1 -N 1 -w "$2" sh -c "$where"
told "-w of two" srun -n 2 -N 2 -w "$1,$2" sh -c "$where"
told "-x" srun -N 2 -n 2 -x "$1" sh -c "$where"
told "too many nodes" srun -N 4 true
told "too many tasks" srun -n 999 true
told "too many tasks of a node" srun -N 1 -n 5 --ntasks-per-node=5 true
told "too many CPUs" srun -n 1 -c 99 true
told "node of others" srun -N 1 -n 1 -w "$3" true
END
id=$(submit --nodelist="${prefix}[1-3]" -N3 --ntasks-per-node=2 --output=log job "${prefix}1" "${prefix}2" "${prefix}4")
ended "$id"
lines "told" <log
