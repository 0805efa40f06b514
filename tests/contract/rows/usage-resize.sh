# GPU-seconds of a job that gave nodes back: a record for each size, with its GPUs, and when each begins and ends
# alone

script sleeps <<'END'
exec sleep 100
END
id=$(submit --nodelist="${prefix}[1-3]" -N3 --ntasks-per-node=1 --gpus-per-node=8 --output=log sleeps)
until_state "$id" RUNNING
sleep 4
scontrol update JobId="$id" NodeList="${prefix}[1-2]"
sleep 9
scancel "$id"
ended "$id"
charged() { sacct -nXP -j "$id" -o State | grep -q CANCELLED; }
await charged
sacct -nXP -D -j "$id" -o State,AllocTRES,ElapsedRaw,Submit,Start,End | awk -F'|' '
    {
        gpus = $2; sub(/.*gres\/gpu=/, "", gpus); sub(/,.*/, "", gpus)
        took = $3 < 2 ? "no time" : $3 < 8 ? "4 seconds or so" : $3 < 13 ? "9 seconds or so" : "13 seconds or so"
        print $1, gpus " GPUs", took, (NR == 1 ? "" : $5 == start ? "begins with the first" : $5 == end ? "begins with the end of the first" : "begins elsewhere"), (NR == 1 ? "" : $4 == submit ? "same submission" : "another submission")
        if (NR == 1) { submit = $4; start = $5; end = $6 }
    }' | lines "records"
sacct -nP -j "$id" -o JobID,State,NNodes | lines "with steps"
