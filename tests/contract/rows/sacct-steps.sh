# sacct has a record of the job, its script and each step, with their codes; -X leaves out all but the job

script job <<'END'
srun -N2 -n2 sh -c 'exit 0'
srun --job-name='named step' -N1 -n1 -w "$1" sh -c 'exit 3'
srun -N2 -n4 true
exit 9
END
id=$(submit --job-name=steps --nodelist="${prefix}[1-2]" -N2 --ntasks-per-node=2 --gpus-per-node=1 --time=7 --comment='a comment' --output=log job "${prefix}1")
ended "$id"
booked "$id"
ask() {
    local name=$1
    shift
    sacct "$@" 2>&1 | sed 's/,mem=[^,|]*//; s/mem=[^,|]*,//' | lines "$name"
}
ask codes -nP -o JobID,JobIDRaw,JobName,State,ExitCode,DerivedExitCode -j "$id"
ask sizes -nP -o JobID,NNodes,NTasks,AllocCPUS,ReqCPUS,NodeList,AllocTRES,ReqTRES -j "$id"
ask "the job alone" -XnP -o JobID,User,Partition,Timelimit,TimelimitRaw --noconvert -j "$id"
ask "times" -XnP -o Submit,Eligible,Start,End,Suspended -j "$id"
ask "header" -XP -o JobID,State -j "$id"
ask "open end" -Xnp -o JobName,State -j "$id"
ask "own delimiter" -Xnp --delimiter='#' -o JobName,State -j "$id"
ask "widths" -Xn -o JobName%12,State%-12,ExitCode%5 -j "$id"
ask "narrow" -Xn -o JobName%3,State%4 -j "$id"
ask "step" -nP -j "$id.1" -o JobName,State -j "$id"
ask "script" -nP -j "$id.batch" -o JobName,State -j "$id"
ask "submit line" -XnP -o SubmitLine -j "$id"
ask "comment" -XnP -o Comment -j "$id"
ask "unknown field" -nP -o Nonsense -j "$id"
ask "work directory" -XnP -o WorkDir -j "$id"
sacct -j "$id" | head -n 2 | lines "table"
