# srun's exit code is that of its task; of several the highest; 128 and the number of a signal

tells job <<'END'
told good srun -N2 -n4 true
told "one of four" srun -N2 -n4 sh -c '[ "$SLURM_PROCID" != 2 ] || exit 3'
told "two of four" srun -N2 -n4 sh -c 'case $SLURM_PROCID in 0) exit 7 ;; 3) exit 2 ;; esac'
told "both of a node" srun -N1 -n2 -w "$1" sh -c 'exit 4'
told "KILL" srun -N1 -n1 -w "$1" sh -c 'kill -9 $$'
told "USR1" srun -N1 -n1 -w "$1" sh -c 'kill -USR1 $$'
told "TERM" srun -N1 -n1 -w "$1" sh -c 'kill -TERM $$'
told "SEGV" srun -N1 -n1 -w "$1" sh -c 'ulimit -c 0; kill -SEGV $$'
told "code and signal" srun -N2 -n2 sh -c '[ "$SLURM_PROCID" = 0 ] && exit 200; kill -9 $$'
told "two signals" srun -N2 -n2 sh -c '[ "$SLURM_PROCID" = 0 ] && kill -TERM $$; kill -USR1 $$'
told "code 130" srun -N1 -n1 -w "$1" sh -c 'exit 130'
told "code 255" srun -N1 -n1 -w "$1" sh -c 'exit 255'
END
id=$(submit --nodelist="${prefix}[1-2]" -N2 --ntasks-per-node=2 --output=log job "${prefix}1")
ended "$id"
booked "$id"
lines "told" <log
sacct -nP -j "$id" -o JobID,JobName,State,ExitCode | lines "sacct"
