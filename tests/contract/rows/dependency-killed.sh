# What trainsub reads of a job that --kill-on-invalid-dep=yes has ended

script quick <<'END'
exit "$1"
END
bad=$(submit quick 1)
ended "$bad"
killed=$(submit --dependency="afterok:$bad" --kill-on-invalid-dep=yes quick 0)
ended "$killed"
raw squeue "queue" --jobs="$killed"
scontrol show job "$killed" | grep -o 'JobState=[A-Z]*\|Reason=[A-Za-z]*\|ExitCode=[0-9:]*\|Dependency=.*' | lines "scontrol"
told() { sacct -nPX -j "$killed" -o State,JobName | grep -q 'CANCELLED|quick'; }
await told
raw sacct "records" --jobs="$killed"
said "once more" scontrol requeue "$killed"
