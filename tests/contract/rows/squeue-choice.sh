# squeue shows jobs by id, name, state, user, partition and node; what it says of unknown ids, and when it forgets

script sleeps <<'END'
exec sleep 100
END
script quick <<'END'
true
END
name=name-$$
held=$(submit --hold --job-name=$name-held --output=log sleeps)
runs=$(submit --job-name=$name --nodelist="${prefix}3" --output=log sleeps)
debug=$(submit --hold --job-name=$name --partition=debug --output=log sleeps)
quick=$(submit --job-name=$name --output=log quick)
until_state "$runs" RUNNING
ended "$quick"
all="$held,$runs,$debug,$quick"
show() {
    local name=$1
    shift
    said "$name" squeue -h -o '%i %T' --sort=i "$@"
}
show ids -j "$all"
show "ids, all states" -j "$all" -t all
show "states" -j "$all" --states=PENDING,CD
show "short states" -j "$all" -t R
show "name" --name=$name
show "names" --name=$name,$name-held -t PD
show "me and name" --me --name=$name
show "user" -u "$(id -un)" --name=$name
show "unknown user" -u nobody-at-all --name=$name
show "partition" -p debug -j "$all"
show "no such partition" -p nowhere -j "$all"
show "node" -w "${prefix}3" -j "$all"
show "no such node" -w nowhere
show "one ended" -j "$quick"
show "unknown" -j 999999
show "unknown, all states" -j 999999 -t all
show "unknown among others" -j "999999,$runs"
show "no id" -j twelve
show "unknown state" -t SLEEPING
show "unknown name" --name=nobody-$$
show "array form of no array" -j "${runs}_1"
show "nothing" -j ''
said "unknown option" squeue --no-such-option
said "environment" env SQUEUE_FORMAT='%T of %P' SQUEUE_STATES=all squeue -h -j "$runs"
said "sorted" squeue -h -j "$held,$runs,$debug" -o %i -S -i
