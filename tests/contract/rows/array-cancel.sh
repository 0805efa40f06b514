# Tasks of an array are cancelled one by one, in ranges, all that wait, or all

script job <<'END'
exec sleep 100
END
all=$(submit --hold --array=0-9 job)
now() {
    squeue -h -r -t all -j "$all" -o '%K %T' | sort -n | awk '{ print $2 }' | uniq -c | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'
}
said one scancel "${all}_2"
fact "after one" "$(now)"
said range scancel "${all}_[4-5]"
fact "after a range" "$(now)"
said "two words" scancel "${all}_0" "${all}_9"
fact "after two more" "$(now)"
squeue -h -j "$all" -o '%i' | lines "what waits"
said "one that is not there" scancel "${all}_99"
said "one that has ended" scancel "${all}_2"
said rest scancel "$all"
ended "$all"
fact "after all" "$(now)"
booked "$all"
sacct -nPX -j "$all" -o State | sort -u | lines "records"
some=$(submit --array=0-4%2 job)
two_run() { [ "$(squeue -h -j "$some" -t RUNNING -o %i | wc -l)" -eq 2 ]; }
await two_run
said "those that wait" scancel --state=PENDING "$some"
await two_run
squeue -h -r -t all -j "$some" -o '%K %T' | sort -n | lines "two go on"
said "one that runs" scancel "${some}_1"
one_runs() { [ "$(squeue -h -j "$some" -t RUNNING,COMPLETING -o %i | wc -l)" -eq 1 ]; }
await one_runs
squeue -h -r -t all -j "$some" -o '%K %T' | sort -n | lines "one goes on"
scancel "$some"
ended "$some"
booked "$some"
sacct -nPX -j "$some" -o JobID,State | sort | lines "records of the second"
