# The tasks of a step have the script's environment, or what --export and SLURM_EXPORT_ENV leave of it

tells job <<'END'
export KEPT=kept
look='echo "KEPT=${KEPT-unset} NEW=${NEW-unset} PATH=${PATH:+set} job=${SLURM_JOB_ID:+set} SLURM_EXPORT_ENV=${SLURM_EXPORT_ENV-unset}"'
told default srun /bin/sh -c "$look"
told "own value" srun --export=ALL,NEW=new /bin/sh -c "$look"
told "own value alone" srun --export=NEW=new /bin/sh -c "$look"
told none srun --export=NONE /bin/sh -c "$look"
told "by the variable" env SLURM_EXPORT_ENV=NONE srun /bin/sh -c "$look"
told "variable all" env SLURM_EXPORT_ENV=ALL srun /bin/sh -c "$look"
told "both" env SLURM_EXPORT_ENV=NIL srun --export=ALL /bin/sh -c "$look"
told "no path" env SLURM_EXPORT_ENV=NIL srun sh -c 'echo found a shell'
told cpus srun --cpus-per-task="$SLURM_CPUS_PER_TASK" /bin/sh -c 'echo "${SLURM_CPUS_PER_TASK-unset}"'
told "fewer cpus" srun --cpus-per-task=2 /bin/sh -c 'echo "${SLURM_CPUS_PER_TASK-unset}"'
told "job name" srun --job-name=step /bin/sh -c 'echo "$SLURM_JOB_NAME"'
told umask sh -c 'umask 027; srun /bin/sh -c umask'
END
id=$(submit --nodelist="${prefix}2" --job-name=whole --cpus-per-task=3 --output=log job)
ended "$id"
booked "$id"
lines "told" <log
sacct -nP -j "$id" -o JobID,JobName,NTasks,AllocCPUS,State | lines "sacct"
