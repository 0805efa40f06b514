# At the time limit a job gets TERM, then KILL, and is TIMEOUT whatever its script does
# slow

script sleeps <<'END'
exec sleep 300
END
script saves <<'END'
trap 'echo saved; exit 0' TERM
while :; do sleep 1 & wait; done
END
script stepped <<'END'
trap : TERM
srun sleep 300
exit "$?" # srun says 143, or dies of the same TERM, by the moment: to a shell it is one
END
for name in sleeps saves stepped; do
    eval "$name=\$(submit --time=0:01 --open-mode=append --job-name=$name --output=$name.out $name)"
done
for name in sleeps saves stepped; do
    job=${!name}
    until_state "$job" RUNNING COMPLETING TIMEOUT
    ended "$job"
    booked "$job"
    fact "$name" "$(squeue -h -t all -j "$job" -o '%T %r %l')"
    fact "$name scontrol" "$(scontrol show job "$job" | grep -o ' *ExitCode=[^ ]*')"
    sacct -nP -j "$job" -o JobID,State,ExitCode,Timelimit | lines "$name sacct"
    grep -o '.*STEP.*\|.*JOB.*\|saved' "$name.out" | sorted | lines "$name log"
done
