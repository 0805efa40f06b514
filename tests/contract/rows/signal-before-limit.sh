# --signal warns before the time limit: with B: the batch script alone, without it the steps alone
# slow

script job <<'END'
trap 'echo script got USR1; kill "$step"; exit 0' USR1
srun --nodes=1 --ntasks=2 sh -c '
    trap "echo task $SLURM_PROCID got USR1; exit 7" USR1
    echo ready
    while :; do sleep 1 & wait; done' &
step=$!
wait "$step"
echo "srun ended: $?"
END
options="--time=1 --ntasks=2 --open-mode=append"
batch=$(submit $options --signal=B:USR1@50 --output=batch.out job)
steps=$(submit $options --signal=USR1@50 --output=steps.out job)
number=$(submit $options --signal=B:10 --output=number.out job)
for name in batch steps number; do
    job=${!name}
    ended "$job"
    booked "$job"
    fact "$name" "$(state "$job") $(reason "$job")"
    grep 'got\|ended' $name.out | grep -v '^srun: got\|slurmstepd' | sort -u | lines "$name log"
    sacct -nPX -j "$job" -o State,ExitCode | lines "$name sacct"
done
