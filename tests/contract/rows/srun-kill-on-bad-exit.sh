# With --kill-on-bad-exit=1 the first task that fails ends the others by TERM: srun says 143, if they die of it; without it they go on

tells job <<'END'
task='
    exec 2>/dev/null
    echo "$SLURM_PROCID starts"
    trap "echo $SLURM_PROCID is asked to end; exit 0" TERM
    touch "here.$1.$SLURM_PROCID"
    if [ "$SLURM_PROCID" = 1 ]; then
        until [ -e "here.$1.0" ] && [ -e "here.$1.3" ] && [ -e "here.$1.2" ]; do sleep 0.2; done
        sleep 1
        exit 5
    fi
    n=0; while [ $n -lt "$2" ]; do sleep 0.5 & wait $!; n=$((n + 1)); done
    echo "$SLURM_PROCID is done"'
told killed srun -N2 -n4 --kill-on-bad-exit=1 sh -c "$task" task killed 60
told "killed by -K" srun -N2 -n4 -K sh -c "$task" task default 60
told "not killed" srun -N2 -n4 --kill-on-bad-exit=0 sh -c "$task" task not 8
told "as configured" srun -N2 -n4 sh -c "$task" task conf 8
told "no trap" srun -N2 -n4 --kill-on-bad-exit=1 sh -c '[ "$SLURM_PROCID" != 1 ] || { sleep 2; exit 5; }; exec sleep 60'
told "killed by a signal" srun -N2 -n4 --kill-on-bad-exit=1 sh -c '[ "$SLURM_PROCID" != 1 ] || { sleep 2; kill -9 $$; }; exec sleep 60'
END
id=$(submit --nodelist="${prefix}[1-2]" -N2 --ntasks-per-node=2 --output=log job)
ended "$id"
booked "$id"
lines "told" <log
sacct -nP -j "$id" -o JobID,State,ExitCode | lines "sacct"
