# GPU-seconds of a requeued job: every record counts its own time with its own GPUs; without -D only the last is told

script job <<'END'
[ -z "${SLURM_RESTART_COUNT-}" ] || { sleep 2; exit 0; }
echo ready >ready
exec sleep 100
END
id=$(submit --nodelist="${prefix}[1-2]" -N2 --ntasks-per-node=1 --gpus-per-node=3 --open-mode=append --output=log job)
until_file ready
sleep 6
scontrol requeue "$id"
ended "$id"
has_records() { [ "$(sacct -nDXP -j "$id" -o State | grep -c '^COMPLETED')" = 1 ]; }
await has_records
records() { # arguments: state, GPUs, and the time that it took
    sacct -nXP -j "$id" "$@" -o State,AllocTRES,ElapsedRaw,Elapsed,Submit,Start,End | awk -F'|' '
        {
            gpus = $2; sub(/.*gres\/gpu=/, "", gpus); sub(/,.*/, "", gpus)
            took = $3 < 1 ? "nothing" : $3 < 5 ? "some 2 seconds" : $3 < 12 ? "some 6 seconds" : "long"
            split($4, clock, ":"); same = clock[1] * 3600 + clock[2] * 60 + clock[3] == $3 ? "the same" : "another time"
            print $1, gpus " GPUs", took, same, ($5 <= $6 ? "starts after its submission" : "starts before"), ($7 >= $6 ? "ends after" : "ends before")
        }'
}
records -D | lines "records"
records | lines "without -D"
sacct -nXP -D -j "$id" -o Submit,Start,End | awk -F'|' 'NR == 2 { print ($1 >= end ? "after" : "before") } { end = $3 }' | lines "second submission and first end"
raw sacct "parsed" --jobs="$id"
raw squeue "parsed"
