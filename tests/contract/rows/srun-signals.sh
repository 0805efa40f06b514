# srun hands USR1 and USR2 on to every task; TERM to srun, or scancel of a step, ends the step

tells job <<'END'
task='
    exec 2>/dev/null
    trap "echo $SLURM_PROCID got USR1 >>got.$name" USR1
    trap "echo $SLURM_PROCID got USR2 >>got.$name; exit 5" USR2
    trap "echo $SLURM_PROCID got TERM >>got.$name; exit 6" TERM
    echo ready >"ready.$name.$SLURM_PROCID"
    while :; do sleep 0.5 & wait; done'
begin() { # name; a step that is ready
    export name=$1
    srun sh -c "$task" >"out.$1" 2>"err.$1" &
    step=$!
    until [ -e "ready.$1.0" ] && [ -e "ready.$1.1" ]; do sleep 0.2; done
}
over() {
    wait "$step"
    echo "$name: rc $?"
    cat "got.$name" 2>/dev/null | sort | sed "s/^/$name: /"
    # Each try to end a step may be told, and how many there are is a matter of moments.
    heard | awk '!/ STEP .* CANCELLED / || !told[$1]++'
}
begin usr
kill -USR1 "$step"
until [ "$(cat got.usr 2>/dev/null | grep -c USR1)" = 2 ]; do sleep 0.2; done
kill -USR2 "$step"
over
begin term
kill -TERM "$step"
over
# The step may end between the tries of scancel, which then says that it is gone.
begin scancel
scancel "$SLURM_JOB_ID.2" 2>/dev/null
over
begin step_signal
scancel --signal=USR2 "$SLURM_JOB_ID.3" 2>/dev/null
over
END
id=$(submit --nodelist="${prefix}[1-2]" --nodes=2 --ntasks=2 --output=log job)
ended "$id"
booked "$id"
lines "told" <log
sacct -nP -j "$id" -o JobID,State,ExitCode | lines "sacct"
