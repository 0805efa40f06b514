# A job that asks for nothing finds no counts but those of its one CPU

script job <<'END'
echo "gpus ${CUDA_VISIBLE_DEVICES-unset} ${SLURM_GPUS_ON_NODE-unset} ${SLURM_JOB_GPUS-unset} ${SLURM_GPUS_PER_NODE-unset}"
echo "tasks ${SLURM_NTASKS-unset} ${SLURM_NPROCS-unset} ${SLURM_NTASKS_PER_NODE-unset} ${SLURM_TASKS_PER_NODE-unset}"
echo "cpus ${SLURM_CPUS_PER_TASK-unset} ${SLURM_CPUS_ON_NODE-unset} ${SLURM_JOB_CPUS_PER_NODE-unset}"
echo "restarts ${SLURM_RESTART_COUNT-unset}, array ${SLURM_ARRAY_JOB_ID-unset} ${SLURM_ARRAY_TASK_ID-unset}"
echo "ids ${SLURM_PROCID-unset} ${SLURM_LOCALID-unset} ${SLURM_NODEID-unset} ${SLURM_STEP_ID-unset}"
echo "batch ${ENVIRONMENT-unset}"
srun sh -c 'echo "task: cpus ${SLURM_CPUS_PER_TASK-unset} ${SLURM_CPUS_ON_NODE-unset} gpus ${CUDA_VISIBLE_DEVICES-unset} tasks ${SLURM_NTASKS-unset} ${SLURM_NTASKS_PER_NODE-unset}"'
END
id=$(submit --output=log job)
ended "$id"
lines "found" <log
