# scontrol update changes a job that waits: its limit, name, comment, nodes and partition; and refuses what cannot be

script job <<'END'
sleep 100
END
id=$(submit --hold --nodes=1 --time=10 job)
show() { squeue -h -j "$id" -o '%l|%j|%k|%P|%x|%D|%T|%r' | lines "$1"; }
show before
update() { # name, changes
    local name=$1
    shift
    said "$name" scontrol update JobId="$id" "$@"
    show "$name"
}
update "time up" TimeLimit=120
update "time down" TimeLimit=0:05:00
update "more time" TimeLimit=+10
update "less time" TimeLimit=-5
update "name" JobName='two words'
update "comment" Comment='a|b c'
update "excluded nodes" ExcNodeList="${prefix}[1-2]"
update "no excluded nodes" ExcNodeList=
update "number of nodes" NumNodes=2
update "partition" Partition=debug
update "time over the partition's" TimeLimit=60
update "too many nodes for the partition" NumNodes=3
update "too many nodes" NumNodes=99
update "no such partition" Partition=nowhere
update "no such node" ExcNodeList=nowhere
update "bad time" TimeLimit=soon
update "no such key" Nonsense=1
update "two at once" TimeLimit=3 Comment=both
said "in other words" scontrol update job "$id" comment=words
show "in other words"
said "unknown job" scontrol update JobId=999999 TimeLimit=5
said "nothing" scontrol update JobId="$id"
scancel "$id"
ended "$id"
said "ended" scontrol update JobId="$id" TimeLimit=5
