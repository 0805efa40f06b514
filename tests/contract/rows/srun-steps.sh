# Steps share a job side by side; one that wants what another holds waits, unless it may overlap

tells job <<'END'
await() { until [ -e "$1" ]; do sleep 0.2; done; }
srun --exact -n 1 sh -c 'touch one; until [ -e two ]; do sleep 0.2; done; echo one saw two' &
srun --exact -n 1 sh -c 'touch two; until [ -e one ]; do sleep 0.2; done; echo two saw one' &
wait
srun -n 2 sh -c 'touch "held.$SLURM_PROCID"; until [ -e go ]; do sleep 0.2; done' 2>err.held &
await held.0
await held.1
told beside srun --overlap --mem=0 -n 2 sh -c 'echo "step $SLURM_STEP_ID of $SLURM_JOB_ID"'
told "at once" srun --immediate=2 -n 2 true
: >err
srun -n 2 sh -c 'echo waited' 2>err &
last=$!
until grep -q 'disabled' err; do sleep 0.2; done
touch go
wait "$last"
echo "later: rc $?"
head -n 1 err
wait
steady <err.held
END
id=$(submit --nodelist="${prefix}1" --ntasks=2 --output=log job)
ended "$id"
booked "$id"
sort log | lines "told"
sacct -nP -j "$id" -o JobID,State,ExitCode,NTasks | lines "sacct"
