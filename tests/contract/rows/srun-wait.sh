# With --wait=2 srun ends what is left two seconds after the first task ended, by KILL; without it, it waits

tells job <<'END'
task='[ "$SLURM_PROCID" = 0 ] || { trap "" TERM; sleep "$2" & wait; sleep 1; echo "$SLURM_PROCID is done"; }; exit "$1"'
told "after a good end" srun -N2 -n2 --wait=2 sh -c "$task" task 0 60
told "after a bad end" srun -N2 -n2 --wait=2 --kill-on-bad-exit=0 sh -c "$task" task 6 60
told "in time" srun -N2 -n2 --wait=30 sh -c "$task" task 0 1
told "no wait" srun -N2 -n2 --wait=0 sh -c "$task" task 0 3
END
id=$(submit --nodelist="${prefix}[1-2]" -N2 --ntasks-per-node=1 --output=log job)
ended "$id"
booked "$id"
lines "told" <log
sacct -nP -j "$id" -o JobID,State,ExitCode | lines "sacct"
