# The time limit of a running job can be lowered by its user, never raised; name and comment may change, its size may not grow

script sleeps <<'END'
exec sleep 100
END
id=$(submit --nodelist="${prefix}1" --time=60 sleeps)
until_state "$id" RUNNING
show() { squeue -h -j "$id" -o '%l|%j|%k|%P|%D|%T|%r' | lines "$1"; }
update() {
    local name=$1
    shift
    said "$name" scontrol update JobId="$id" "$@"
    show "$name"
}
update lower TimeLimit=30
update higher TimeLimit=40
update "by words" TimeLimit=-5
update "up by words" TimeLimit=+5
update name JobName=other
update comment Comment=new
update partition Partition=debug
update "more nodes" NumNodes=2
update "other nodes" NodeList="${prefix}2"
update "excluded nodes" ExcNodeList="${prefix}2"
update "start time" StartTime=now+10
fact "end of the new limit" "$(squeue -h -j "$id" -o %L | sed 's/^2[0-9]:[0-9]*$/below 30 minutes/')"
scancel "$id"
ended "$id"
booked "$id"
sacct -nP -j "$id" -o JobID,JobName,Timelimit,State | lines "sacct"
