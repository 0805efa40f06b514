# CPUs, GPUs and whole nodes are counted: a job starts beside others only if what it asks is free
# alone

script runs <<'END'
echo "$SLURM_JOB_NODELIST" >"on.$1"
until [ -e "go.$1" ]; do sleep 0.3; done
END
one="--nodelist=${prefix}4 --time=60"
check() { # name, ids of one that fills and one that waits
    until_state "$2" RUNNING
    until_reason "$3" Resources
    fact "$1" "$(state "$2"), $(state "$3") $(reason "$3")"
    touch "go.$2.fills"
    scancel "$2"
    until_state "$3" RUNNING
    fact "$1, when there is room" "$(state "$3")"
    scancel "$3"
    ended "$2" "$3"
}
check "CPUs" "$(submit $one --cpus-per-task=100 runs 1)" "$(submit $one --cpus-per-task=29 runs 2)"
check "GPUs" "$(submit $one --gpus-per-node=6 runs 3)" "$(submit $one --gres=gpu:3 runs 4)"
check "exclusive" "$(submit $one --exclusive runs 5)" "$(submit $one runs 6)"
check "exclusive beside another" "$(submit $one runs 7)" "$(submit $one --exclusive runs 8)"
check "all nodes" "$(submit $one --exclusive runs 9)" "$(submit --nodes=4 runs 10)"
a=$(submit $one --cpus-per-task=100 --gpus-per-node=5 runs a)
b=$(submit $one --cpus-per-task=28 --gpus-per-node=3 runs b)
until_state "$a" RUNNING
until_state "$b" RUNNING
fact "what just fits" "$(state "$a"), $(state "$b")"
fact "CPUs held" "$(squeue -h -j "$a,$b" -o %C | sort -n | tr '\n' ' ')"
scancel "$a" "$b"
whole=$(submit --nodelist="${prefix}4" --exclusive --gpus-per-node=1 --ntasks=2 runs whole)
until_state "$whole" RUNNING
raw squeue "exclusive" --jobs="$whole"
