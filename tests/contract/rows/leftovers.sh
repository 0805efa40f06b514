# When the batch script ends the job ends, and its steps with it, whatever it has left running

script job <<'END'
sleep 20 &
setsid sleep 20 &
( trap '' TERM HUP; sleep 20 ) &
srun sh -c 'touch began; exec sleep 300' &
until [ -e began ]; do sleep 0.3; done
exit 4
END
id=$(submit --nodelist="${prefix}3" --output=log job)
ended "$id"
booked "$id"
fact "job" "$(state "$id"), $(scontrol show job "$id" | grep -o 'ExitCode=[0-9:]*')"
sacct -nP -j "$id" -o JobID,State,ExitCode | lines "sacct"
