# An array: its ids, its row while it waits, its tasks while they run, what they find, and what sacct keeps

script job <<'END'
echo "$SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_TASK_MIN-$SLURM_ARRAY_TASK_MAX, $SLURM_ARRAY_TASK_COUNT, step $SLURM_ARRAY_TASK_STEP, array $SLURM_ARRAY_JOB_ID" >>"told.$SLURM_ARRAY_TASK_ID"
[ "$SLURM_JOB_ID" = "$SLURM_JOBID" ] && [ -n "$SLURM_JOB_NAME" ] && echo "$SLURM_JOB_NAME" >>"told.$SLURM_ARRAY_TASK_ID"
until [ -e go ]; do sleep 0.3; done
exit "$((SLURM_ARRAY_TASK_ID == 3))"
END
all=$(submit --hold --job-name=sweep --array=1-7:2,10%2 job)
squeue -h -j "$all" -o '%i %F %K %T %r %j' | lines "waits"
squeue -h -r -j "$all" -o '%i %K' | lines "waits, one by one"
raw squeue "waits" --jobs="$all"
told_of() { [ "$(sacct -nPX -j "$all" -o State | grep -c "$1")" -eq "$2" ]; }
await told_of PENDING 1
raw sacct "waits" --jobs="$all"
said release scontrol release "$all"
two_run() { [ "$(squeue -h -j "$all" -t RUNNING -o %i | wc -l)" -eq 2 ] && [ -e told.3 ]; }
await two_run
squeue -h -j "$all" -o '%i %F %K %T %r' | sort | lines "two run"
raw squeue "two run" --jobs="$all"
await told_of RUNNING 2
sacct -nPX -j "$all" -o JobID,State | lines "sacct"
fact "one by its name" "$(squeue -h -j "${all}_3" -o '%i %T')"
fact "one by its own id" "$(squeue -h -j "$(squeue -h -j "${all}_3" -o %A)" -o '%i %T')"
scontrol show job "${all}_3" | grep -o 'ArrayJobId=[0-9]*\|ArrayTaskId=.*' | lines "scontrol"
touch go
ended "$all"
await told_of 'COMPLETED\|FAILED' 5
booked "$all"
squeue -h -r -t all -j "$all" -o '%i %T %r' | sort | lines "ended"
sacct -nP -j "$all" -o JobID,State,ExitCode | sort | lines "records"
raw sacct "ended" --jobs="$all"
for task in 1 3 5 7 10; do
    [ -e told.$task ] && lines "task $task" <told.$task
done
fact "the last task has the array's own id" "$(sacct -nPX -j "$all" -o JobID,JobIDRaw | grep "|$all\$" | cut -d'|' -f1)"
