# What the tasks of a step know: ranks, nodes, GPUs of their node, and the step

script job <<'END'
srun --ntasks=4 --ntasks-per-node=2 sh -c '
    echo "$SLURM_PROCID: local $SLURM_LOCALID, node $SLURM_NODEID $SLURMD_NODENAME, of $SLURM_NTASKS $SLURM_NPROCS, a node $SLURM_NTASKS_PER_NODE, step $SLURM_STEP_ID $SLURM_STEPID" \
        "$SLURM_STEP_NODELIST $SLURM_STEP_NUM_NODES $SLURM_STEP_NUM_TASKS $SLURM_STEP_TASKS_PER_NODE," \
        "job $SLURM_JOB_ID $SLURM_JOBID $SLURM_JOB_NODELIST $SLURM_NODELIST $SLURM_JOB_NUM_NODES $SLURM_NNODES $SLURM_TASKS_PER_NODE," \
        "cpus $SLURM_CPUS_PER_TASK $SLURM_CPUS_ON_NODE $SLURM_JOB_CPUS_PER_NODE," \
        "gpus $(echo "$CUDA_VISIBLE_DEVICES" | tr -dc , | wc -c | tr -d " ")+1 on node ${SLURM_GPUS_ON_NODE-unset} per node ${SLURM_GPUS_PER_NODE-unset}"' | sort
srun --nodes=1 --ntasks=1 sh -c 'echo "second step: $SLURM_STEP_ID, $SLURM_NTASKS on $SLURM_STEP_NUM_NODES nodes, $SLURM_STEP_NODELIST of $SLURM_JOB_NODELIST"'
srun -n 3 sh -c 'echo "third step: $SLURM_PROCID $SLURM_NODEID $SLURM_LOCALID ${SLURM_STEP_TASKS_PER_NODE}"' | sort
srun -l sh -c 'echo "$SLURM_SRUN_COMM_HOST" | grep -c .; [ -n "$SLURM_LAUNCH_NODE_IPADDR" ] && [ -n "$SLURM_TASK_PID" ] && echo known' | sort | uniq -c | sed 's/^ *//'
END
id=$(submit --nodelist="${prefix}[1-2]" --nodes=2 --ntasks-per-node=2 --gpus-per-node=2 --cpus-per-task=3 --output=log job)
ended "$id"
steady <log | lines "told"
