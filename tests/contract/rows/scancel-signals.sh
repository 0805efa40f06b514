# scancel --signal reaches the steps; with --batch the script alone; with --full the script and all that it started

script job <<'END'
trap 'echo "script got USR1" >>"got"' USR1
trap 'echo "script got USR2" >>"got"; last=1' USR2
echo ready >ready.script
srun sh -c '
    trap "echo task $SLURM_PROCID got USR1 >>got" USR1
    trap "echo task $SLURM_PROCID got USR2 >>got; exit 0" USR2
    echo ready >"ready.$SLURM_PROCID"
    while :; do sleep 0.5 & wait; done' &
until [ -n "${last:-}" ]; do wait; sleep 0.5; done
while kill -0 $! 2>/dev/null; do wait $!; done # the end of the script would be the end of tasks that heard nothing yet
exit 0
END
id=$(submit --nodelist="${prefix}[1-2]" -N2 --ntasks-per-node=1 --output=log job)
for name in script 0 1; do until_file ready.$name; done
got() { # name, number of words that come
    await heard "$2"
    sleep 1 # One signal may come twice: srun hands on what it gets itself.
    sort -u got | lines "$1"
    rm got
}
heard() { [ -e got ] && [ "$(wc -l <got)" -ge "$1" ]; }
said steps scancel --signal=USR1 "$id"
got steps 2
said batch scancel --batch --signal=USR1 "$id"
got batch 1
said full scancel --full --signal=USR1 "$id"
got full 3
said "by number" scancel -s 10 "$id"
got "by number" 2
said "with SIG" scancel -b -s SIGUSR1 "$id"
got "with SIG" 1
said "one step" scancel -s USR1 "$id.0"
got "one step" 2
said "no such signal" scancel -s NONSENSE "$id"
fact "goes on" "$(state "$id")"
said "full and last" scancel -f -s USR2 "$id"
got "full and last" 3
ended "$id"
booked "$id"
sacct -nP -j "$id" -o JobID,State,ExitCode | lines "sacct"
said "ended" scancel -s USR1 "$id"
pending=$(submit --hold job)
said "pending" scancel -s USR1 "$pending"
fact "pending" "$(state "$pending")"
