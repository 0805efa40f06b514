# A running job gives nodes back by NodeList=, never its first one; its account then has a record for each size

script sleeps <<'END'
exec sleep 100
END
id=$(submit --nodelist="${prefix}[1-3]" -N3 --ntasks-per-node=1 --gpus-per-node=2 --output=log sleeps)
until_state "$id" RUNNING
update() {
    local name=$1
    shift
    said "$name" scontrol update JobId="$id" "$@"
    raw squeue "$name"
}
update "without the first" NodeList="${prefix}[2-3]"
update "a node of others" NodeList="${prefix}[1-2],${prefix}4"
update "no such node" NodeList=nowhere
sleep 2
update "smaller" NodeList="${prefix}[1-2]"
sleep 2
update "NumNodes" NumNodes=1
update "smallest" NodeList="${prefix}1"
fact "in scontrol" "$(scontrol show job "$id" | tr ' ' '\n' | grep -E '^(NumNodes|NodeList|NumTasks|AllocTRES|ReqTRES)=' | sed 's/,mem=[^,]*//')"
sleep 2
scancel "$id"
ended "$id"
charged() { sacct -nXP -j "$id" -o State | grep -q CANCELLED; }
await charged
raw sacct "records" --jobs="$id"
sacct -nP -j "$id" -o JobID,State,NNodes,ExitCode | lines "without -D"
wait=$(submit --hold --nodes=3 --output=log sleeps)
said "of a job that waits" scontrol update JobId="$wait" NodeList="${prefix}1"
ls "$DIR" | grep resize | lines "file"
sed 's/^/log: /' log | lines "log"
