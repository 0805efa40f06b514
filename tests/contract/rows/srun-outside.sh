# srun outside of a job makes a job of its own; with --jobid and --overlap it looks into one that runs

script job <<'END'
sleep 100
END
said "two tasks" srun --quiet --job-name=direct --nodelist="${prefix}[1-2]" -N 2 -n 2 --output=told sh -c 'echo "$SLURM_PROCID $SLURM_NTASKS $SLURMD_NODENAME $SLURM_JOB_NAME"; exit $((SLURM_PROCID * 4))'
sort told | lines "told"
said "bad partition" srun --partition=nowhere true
said "too many nodes" srun --nodes=99 true
id=$(submit --nodelist="${prefix}[3-4]" -N2 --ntasks-per-node=1 --gpus-per-node=2 --output=log job)
until_state "$id" RUNNING
said "into a job" srun --jobid="$id" --overlap -N2 -n2 --ntasks-per-node=1 --output=seen sh -c 'echo "$SLURM_JOB_ID $SLURM_PROCID $SLURM_STEP_ID $SLURMD_NODENAME"'
sort seen | lines "seen"
scancel "$id"
ended "$id"
said "into an ended job" srun --jobid="$id" --overlap true
said "into no job" srun --jobid=999999 --overlap true
