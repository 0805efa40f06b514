# A job submits another, which has an id and variables of its own, if it takes those of Slurm away before

script outer <<'END'
for name in $(env | sed -n 's/^\(S[A-Z]*_[A-Z_]*\)=.*/\1/p'); do
    case $name in SLURM_CONF*) ;; SLURM* | SBATCH_* | SRUN_*) unset "$name" ;; esac
done
unset CUDA_VISIBLE_DEVICES
sbatch --parsable --output=inner.out inner >inner.id
END
script inner <<'END'
echo "$SLURM_JOB_NAME: $([ "$SLURM_JOB_ID" = "$(cat inner.id)" ] && echo its own id), $SLURM_JOB_NUM_NODES nodes, tasks ${SLURM_NTASKS-unset} ${SLURM_NTASKS_PER_NODE-unset}, cpus ${SLURM_CPUS_PER_TASK-unset}, gpus ${SLURM_GPUS_ON_NODE-unset} ${SLURM_GPUS_PER_NODE-unset} ${CUDA_VISIBLE_DEVICES-unset}, proc ${SLURM_PROCID-unset}, $SLURM_TASKS_PER_NODE"
srun sh -c 'echo "task $SLURM_PROCID of $SLURM_NTASKS on $SLURM_NNODES"'
END
id=$(submit --nodes=2 --ntasks-per-node=2 --cpus-per-task=2 --gpus-per-node=1 --output=outer.out outer)
ended "$id"
keep "$(cat inner.id)"
ended "$(cat inner.id)"
lines "outer" <outer.out
lines "inner" <inner.out
