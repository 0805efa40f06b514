# scontrol show job: the keys that scripts look for, of a job that waits, one that runs and one that has ended

script sleeps <<'END'
exec sleep 100
END
script fails <<'END'
exit 3
END
keys() { # name, id
    scontrol show job "$2" | tr ' ' '\n' | grep -E '^(JobId|ArrayJobId|ArrayTaskId|JobName|UserId|JobState|Reason|Requeue|Restarts|BatchFlag|ExitCode|RunTime|TimeLimit|TimeMin|SubmitTime|StartTime|EndTime|Partition|ReqNodeList|ExcNodeList|NodeList|BatchHost|NumNodes|NumCPUs|NumTasks|CPUs/Task|ReqTRES|AllocTRES|Comment|Dependency|Command|WorkDir|StdErr|StdIn|StdOut|TresPerNode|JOB_GRES)=' |
        sed 's/^RunTime=00:00:[0-9]*/RunTime=short/; s/,mem=[^,]*//' | lines "$1"
}
waits=$(submit --hold --job-name=waits --comment='two words' --exclude="${prefix}1" --nodes=2 --time=90 --no-requeue sleeps one 'two words')
runs=$(submit --job-name=runs --nodelist="${prefix}2" --gpus-per-node=2 --ntasks-per-node=2 --cpus-per-task=3 --time=1-2 --output=o%j --error=e%j sleeps)
fails=$(submit --job-name=fails --nodelist="${prefix}2" --output=/dev/null fails)
array=$(submit --hold --job-name=array --array=1-5%2 --output=log sleeps)
until_state "$runs" RUNNING
ended "$fails"
keys waits "$waits"
keys runs "$runs"
keys fails "$fails"
keys array "$array"
fact "in one line" "$(scontrol -o show job "$runs" | wc -l | tr -d ' ') $(scontrol -o show job "$runs" | grep -o ' JobState=RUNNING Reason=None ')"
said "unknown" scontrol show job 999999
said "no id" scontrol show job twelve
said "task of no array" scontrol show job "${runs}_1"
said "no such thing" scontrol show nonsense
said "no such command" scontrol nonsense
scancel "$waits" "$runs" "$array"
ended "$runs"
