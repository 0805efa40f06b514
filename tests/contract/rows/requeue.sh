# A job that runs is requeued: it waits for BeginTime and begins anew under the same id, with both records in sacct

script job <<'END'
echo "run ${SLURM_RESTART_COUNT-unset}"
[ -n "${SLURM_RESTART_COUNT-}" ] || exec sleep 100
END
keeps=$(submit --job-name=keeps --open-mode=append --output=keeps.out job)
loses=$(submit --job-name=loses --open-mode=truncate --output=loses.out job)
default=$(submit --job-name=default --output=default.out job)
never=$(submit --no-requeue --output=never.out job)
for name in keeps loses default never; do until_file $name.out; until_line $name.out run; done
sleep 1 # the times of submission have whole seconds
said requeue scontrol requeue "$keeps"
said requeue scontrol requeue "$loses,$default"
said "without requeue" scontrol requeue "$never"
until_reason "$keeps" BeginTime
raw squeue "waits" --jobs="$keeps"
scontrol show job "$keeps" | grep -o 'Requeue=[0-9]*\|Restarts=[0-9]*\|JobState=[A-Z]*\|Reason=[A-Za-z]*' | tr '\n' ' ' | lines "scontrol"
said "once more" scontrol requeue "$keeps"
ended "$keeps" "$loses" "$default"
booked "$keeps" "$loses" "$default"
raw squeue "ended" --jobs="$keeps"
raw sacct "records" --jobs="$keeps"
sacct -nP -j "$keeps" -o JobID,State,ExitCode | lines "without -D"
sacct -nPD -j "$keeps" -o JobID,State,ExitCode | lines "with -D"
fact "submitted anew" "$(sacct -nPDX -j "$keeps" -o Submit | sort -u | wc -l | tr -d ' ') times"
grep '^run' keeps.out | lines "appended"
grep '^run' loses.out | lines "truncated"
grep '^run' default.out | lines "by default"
grep -c 'CANCELLED AT .* DUE TO JOB REQUEUE' keeps.out | lines "said in the log"
said "of one that has ended" scontrol requeue "$keeps"
until_state "$keeps" PENDING
fact "of one that has ended" "$(state "$keeps") $(squeue -h -j "$keeps" -O RestartCnt | tr -d ' ')"
said "unknown" scontrol requeue 799999
