# srun with --jobid and --overlap looks into a job that runs, from outside

script job <<'END'
sleep 100
END
id=$(submit --nodelist="${prefix}[3-4]" -N2 --ntasks-per-node=1 --gpus-per-node=2 --output=log job)
until_state "$id" RUNNING
said "into a job" srun --jobid="$id" --overlap -N2 -n2 --ntasks-per-node=1 --output=seen sh -c 'echo "$SLURM_JOB_ID $SLURM_PROCID $SLURM_STEP_ID $SLURMD_NODENAME"'
sort seen | lines "seen"
scancel "$id"
ended "$id"
said "into an ended job" srun --jobid="$id" --overlap true
said "into no job" srun --jobid=999999 --overlap true
