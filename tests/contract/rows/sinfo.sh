# sinfo: partitions and nodes in its own table and in others, and what it says of unknown ones
# alone

all_idle() { [ "$(sinfo -h -p gpu -t idle -o %D)" = 4 ]; }
await all_idle
said "partitions" sinfo -h -p gpu,debug -o '%P|%a|%l|%L|%D|%G'
said "nodes" sinfo -h -p debug -N -o '%N|%t|%c|%G'
said "one node" sinfo -h -p gpu -n "${prefix}2" -o '%n %D %T'
said "state" sinfo -h -p gpu -t idle -o '%D %t %N'
said "no such state" sinfo -h -p gpu -t down -o '%D %t'
said "counts" sinfo -h -p gpu -o '%F|%A|%C'
said "long form" sinfo -h -p debug -O 'PartitionName:|,Available:|,Time:|,NodeAIOT:|,Gres:|,GresUsed:|'
said "summary" sinfo -s -p debug
said "table" sinfo -p debug
said "no such partition" sinfo -h -p nowhere -o %P
said "no such node" sinfo -h -n nowhere -o %n
said "unknown option" sinfo --no-such-option
script sleeps <<'END'
exec sleep 100
END
id=$(submit --nodelist="${prefix}2" --gpus-per-node=3 --output=log sleeps)
all=$(submit --nodelist="${prefix}3" --cpus-per-task=128 --mem=1000 --output=log sleeps)
until_state "$id" RUNNING
until_state "$all" RUNNING
said "in use" sinfo -h -p debug -o '%F'
said "in use by state" sinfo -h -p debug -o '%D %t %N'
raw sinfo "in use"
said "GPUs in use" sinfo -h -p debug -n "${prefix}2" -O 'NodeHost:|,GresUsed:|'
