# A script requeues its own job, and goes on from where it stopped

script job <<'END'
echo "${SLURM_RESTART_COUNT:-0}" >>runs
[ "${SLURM_RESTART_COUNT:-0}" -ge 1 ] || {
    sleep 1 # the times of submission have whole seconds
    scontrol requeue "$SLURM_JOB_ID"
    sleep 100
}
END
id=$(submit --open-mode=append --output=log job)
until_reason "$id" BeginTime
ended "$id"
booked "$id"
lines "runs" <runs
sacct -nPDX -j "$id" -o State,ExitCode | lines "records"
fact "at the end" "$(state "$id") restarts $(squeue -h -t all -j "$id" -O RestartCnt | tr -d ' ')"
