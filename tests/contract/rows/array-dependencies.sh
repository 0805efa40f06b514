# A dependency on an array waits for all tasks; aftercorr for the task of the same number

script tasks <<'END'
until [ -e "go.$SLURM_ARRAY_TASK_ID" ]; do sleep 0.3; done
exit "$((SLURM_ARRAY_TASK_ID == 2))"
END
script follower <<'END'
echo "${SLURM_ARRAY_TASK_ID-}" >>ran
END
all=$(submit --array=1-2 tasks)
any=$(submit --dependency="afterany:$all" follower)
ok=$(submit --dependency="afterok:$all" follower)
notok=$(submit --dependency="afternotok:$all" follower)
first=$(submit --dependency="afterok:${all}_1" follower)
corr=$(submit --array=1-2 --dependency="aftercorr:$all" follower)
touch go.1
ended "$first"
until_state "${corr}_1" COMPLETED
fact "after the first task" "any $(state "$any"), ok $(state "$ok"), notok $(state "$notok"), first $(state "$first"), corr $(squeue -h -r -t all -j "$corr" -o '%K %T' | sort | tr '\n' ' ')"
touch go.2
ended "$all" "$any" "$notok"
until_reason "$ok" DependencyNeverSatisfied
until_reason "${corr}_2" DependencyNeverSatisfied
fact "after the second" "any $(state "$any"), ok $(state "$ok"), notok $(state "$notok"), corr $(squeue -h -r -t all -j "$corr" -o '%K %T' | sort | tr '\n' ' ')"
