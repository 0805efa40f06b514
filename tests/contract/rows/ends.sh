# How a job ends is told by its state, reason and exit code, in squeue and in sacct

end() { # name, script on standard input
    script "$1"
    eval "$1=\$(submit --nodelist=${prefix}1 --job-name=$1 --output=$1.out $1)"
}
end good <<'END'
true
END
end bad <<'END'
exit 3
END
end high <<'END'
exit 143
END
end signalled <<'END'
kill -USR1 $$
END
end killed <<'END'
kill -9 $$
END
end step_failed <<'END'
srun sh -c 'exit 5'
true
END
end missing <<'END'
/no/such/program
END
for name in good bad high signalled killed step_failed missing; do
    job=${!name}
    ended "$job"
    booked "$job"
    fact "$name" "$(squeue -h -t all -j "$job" -o '%T %r')"
    fact "$name scontrol" "$(scontrol show job "$job" | grep -o ' *ExitCode=[^ ]*')"
    sacct -nP -j "$job" -o JobID,JobName,State,ExitCode | lines "$name sacct"
    sed 's/ line [0-9]*:/ line N:/; s/[0-9][0-9]* Killed/PID Killed/' "$name.out" | sed 's|^/[^:]*/slurm_script|slurm_script|' | lines "$name log"
done
