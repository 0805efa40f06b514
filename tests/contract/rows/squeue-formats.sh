# squeue -o and -O, with widths, names and a header; the table that it prints by itself

script sleeps <<'END'
exec sleep 100
END
held=$(submit --hold --job-name='two words' --comment='a|b' --time=90 --nodes=2 --gpus-per-node=2 --cpus-per-task=3 --output=log sleeps)
runs=$(submit --job-name=a-rather-long-name --nodelist="${prefix}[1-2]" --ntasks-per-node=2 --gpus-per-node=3 --time=1-2 --output=log sleeps)
until_state "$runs" RUNNING
show() { # name, arguments
    local name=$1
    shift
    squeue "$@" -j "$held,$runs" --sort=i 2>&1 | sed 's/ 0:[0-5][0-9] / 0:SS /; s/ 1-01:59:[0-9]* / 1-01:59:SS /; s/$/./' | lines "$name"
}
show "ids and names" -h -o '%i|%A|%F|%K|%j|%u|%a|%P|%k'
show "states" -h -o '%T|%t|%r|%R|%Q' -t pending
show "sizes" -h -o '%D|%C|%m|%b|%l|%N|%x|%n|%B'
show "times" -h -o '%V|%S|%e|%l'
show "widths" -h -o '%.6j|%6j|%.3t|%3t|%.12P'
show "words between" -h -o 'job %i is %T'
show "header" -o '%A %.9P %.8j %.2t %D %r'
show "long" -h -O 'JobID,Name,State,NumNodes,Partition'
show "long with widths" -h -O 'Name:6,State:.12,NumNodes:3'
show "long with ends" -h -O 'Name:|,State:|,NumNodes:|,NumCPUs:|,NumTasks:|,TimeLimit:|,Dependency:|,ReasonList:|,tres-per-node:|,Feature:|,RestartCnt:|,Comment:|'
show "paths" -h -O 'WorkDir:|,Command:|,STDOUT:|,STDERR:|'
show "unknown field" -h -O 'Nonsense:|'
squeue -j "$held,$runs" --sort=i | sed 's/^ *[0-9]* /ID /; s/  */ /g; s/ R 0:[0-5][0-9] / R 0:SS /' | lines "table"
squeue -l -j "$held" | sed '1d; s/^ *[0-9]* /ID /; s/  */ /g' | lines "long table"
squeue --steps -h -j "$runs" -o '%i %j' | lines "steps"
