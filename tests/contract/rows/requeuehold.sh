# requeuehold: the job waits until it is released; a job may be cancelled while it waits to begin anew

script job <<'END'
echo "run ${SLURM_RESTART_COUNT-unset}" >>"told.$1"
[ -n "${SLURM_RESTART_COUNT-}" ] || exec sleep 100
END
held=$(submit job held)
doomed=$(submit job doomed)
until_file told.held
until_file told.doomed
sleep 1 # the times of submission have whole seconds
said requeuehold scontrol requeuehold "$held"
said requeue scontrol requeue "$doomed"
until_state "$held" PENDING
until_state "$doomed" PENDING
fact held "$(state "$held") $(reason "$held")"
fact doomed "$(state "$doomed") $(reason "$doomed")"
said scancel scancel "$doomed"
ended "$doomed"
booked "$doomed"
fact "cancelled" "$(state "$doomed")"
sacct -nPDX -j "$doomed" -o State,ExitCode | lines "cancelled"
said release scontrol release "$held"
ended "$held"
booked "$held"
lines "released" <told.held
sacct -nPDX -j "$held" -o State,ExitCode | lines "released"
