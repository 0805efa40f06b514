# A script like the templates': it passes signals on to its step, and says 143 when it is stopped

cat >job <<'END'
#!/bin/bash
set -u -o pipefail
record_exit() { echo "record ${1:-$?}"; }
trap record_exit EXIT
trap 'exit 143' TERM
step='' signalled='' terminated=''
trap 'signalled=1; [ -z "$step" ] || kill -USR1 "$step"' USR1
trap 'signalled=1 terminated=1; record_exit 143' TERM
srun --nodes=2 --ntasks=4 --ntasks-per-node=2 --cpus-per-task=2 --kill-on-bad-exit=1 \
    sh -c '
        trap "echo task $SLURM_PROCID got USR1" USR1
        trap "echo task $SLURM_PROCID got TERM; exit 143" TERM
        export RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS NODE_RANK=$SLURM_NODEID
        export LOCAL_RANK=$SLURM_LOCALID LOCAL_WORLD_SIZE=$SLURM_NTASKS_PER_NODE
        exec "$@"' trainsub \
    bash -c '
        trap "echo task $RANK got USR1" USR1
        trap "echo task $RANK got TERM; exit 143" TERM
        echo "rank $RANK of $WORLD_SIZE, node $NODE_RANK, local $LOCAL_RANK of $LOCAL_WORLD_SIZE"
        until [ -e "end.$SLURM_JOB_ID.$RANK" ]; do sleep 1 & wait; done
        exit "$(cat "end.$SLURM_JOB_ID.$RANK")"' &
step=$!
while :; do
    signalled=''
    wait "$step"
    code=$?
    [ -n "$signalled" ] || break
done
[ "$code" -ne 143 ] || code=1
[ -z "$terminated" ] || code=143
exit "$code"
END
begin() { submit --nodes=2 --ntasks-per-node=2 --cpus-per-task=2 --gpus-per-node=2 --open-mode=append --output="$DIR/%j.log" job; }
ranks() { [ "$(grep -c '^rank' "$1.log")" -eq 4 ]; }
warned() { [ "$(grep '^task . got USR1' "$1.log" | sort -u | wc -l)" -eq 4 ]; }
signalled=$(begin) stopped=$(begin) failed=$(begin) good=$(begin)
for id in "$signalled" "$stopped" "$failed" "$good"; do
    until_file "$id.log"
    await ranks "$id"
done
grep '^rank' "$good.log" | sort | lines "ranks"
said "signal" scancel --full --signal=USR1 "$signalled"
await warned "$signalled"
fact "after the signal" "$(state "$signalled"), each task got it: $(grep -c 'task 0 got USR1' "$signalled.log" | sed 's/[1-9][0-9]*/yes/')"
said "scancel" scancel "$signalled" "$stopped"
echo 3 >"end.$failed.2"
for rank in 0 1 2 3; do echo 0 >"end.$good.$rank"; done
for name in signalled stopped failed good; do
    id=${!name}
    ended "$id"
    booked "$id"
    fact "$name" "$(state "$id"), $(scontrol show job "$id" | grep -o 'ExitCode=[0-9:]*')"
    grep '^record\|got TERM' "$id.log" | sort -u | lines "$name log"
    sacct -nP -j "$id" -o JobID,State,ExitCode | lines "$name sacct"
done
