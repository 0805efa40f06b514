# scancel ends a job, waiting or running: TERM, then KILL; a script that ends well is cancelled all the same

script waits <<'END'
true
END
script sleeps <<'END'
echo ready
exec sleep 100
END
script saves <<'END'
trap 'echo saved; exit 0' TERM
echo ready
while :; do sleep 1 & wait; done
END
script stubborn <<'END'
trap '' TERM
echo ready
sleep 100
sleep 100
END
script stepped <<'END'
srun sh -c 'trap "echo task saved; exit 0" TERM; echo ready; while :; do sleep 1 & wait; done'
echo "srun $?"
END
waits=$(submit --hold waits)
for name in sleeps saves stubborn stepped; do
    eval "$name=\$(submit --open-mode=append --job-name=$name --output=$name.out $name)"
done
for name in sleeps saves stubborn stepped; do until_file $name.out; until_line $name.out ready; done
said scancel scancel "$waits" "$sleeps" "$saves" "$stubborn" "$stepped"
for name in waits sleeps saves stubborn stepped; do
    job=${!name}
    ended "$job"
    booked "$job"
    fact "$name" "$(squeue -h -t all -j "$job" -o '%T %r')"
    fact "$name scontrol" "$(scontrol show job "$job" | grep -o ' *ExitCode=[^ ]*')"
    sacct -nP -j "$job" -o JobID,State,ExitCode | lines "$name sacct"
    [ $name = waits ] || grep -v '^srun: \(got\|forcing\)\|Killed' "$name.out" | steady | sorted | lines "$name log"
done
said "once more" scancel "$sleeps"
