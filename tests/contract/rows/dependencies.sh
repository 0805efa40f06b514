# Dependencies after, afterok, afternotok, afterany and their combinations: who starts, who waits, who never will

script quick <<'END'
exit "${1-0}"
END
script waits <<'END'
until [ -e go ]; do sleep 0.3; done
END
script follower <<'END'
echo ran
END
runs=$(submit waits)
good=$(submit quick 0)
bad=$(submit quick 1)
doomed=$(submit --hold quick)
scancel "$doomed"
ended "$good" "$bad" "$doomed"
until_state "$runs" RUNNING
n=0
declare -a ids names
try() { # name, dependency, more options
    local name=$1 dependency=$2
    shift 2
    ids[n]=$(submit --output="after.$n" --dependency="$dependency" "$@" follower)
    names[n]=$name
    n=$((n + 1))
}
try "after of one that runs" "after:$runs"
try "afterok of one that ended well" "afterok:$good"
try "afterok of one that failed" "afterok:$bad"
try "afterok of one that failed, killed" "afterok:$bad" --kill-on-invalid-dep=yes
try "afterok of one that failed, kept" "afterok:$bad" --kill-on-invalid-dep=no
try "afternotok of one that failed" "afternotok:$bad"
try "afternotok of one that ended well" "afternotok:$good"
try "afternotok of one that was cancelled" "afternotok:$doomed"
try "afterok of one that was cancelled" "afterok:$doomed"
try "afterany of one that failed" "afterany:$bad"
try "afterany of one that runs" "afterany:$runs"
try "afterok of one that runs" "afterok:$runs"
try "afternotok of one that runs" "afternotok:$runs"
try "two at once" "afterok:$good:$runs"
try "one and another" "afterok:$good,afternotok:$bad"
try "one or another" "afterok:$bad?afterany:$good"
for kind in after afterok afternotok afterany; do
    said "$kind of an unknown job" sbatch --hold --parsable --dependency="$kind:799999" follower
done
settle() {
    until_state "${ids[0]}" COMPLETED
    until_state "${ids[1]}" COMPLETED
    until_state "${ids[3]}" CANCELLED
    until_reason "${ids[2]}" DependencyNeverSatisfied
    until_reason "${ids[6]}" DependencyNeverSatisfied
    until_reason "${ids[8]}" DependencyNeverSatisfied
    for i in 5 7 9 14 15; do ended "${ids[i]}"; done
}
settle
for ((i = 0; i < n; i++)); do
    fact "${names[i]}" "$(state "${ids[i]}") $(reason "${ids[i]}")"
done
fact "as told" "$(squeue -h -j "${ids[13]}" -o %E)"
fact "as told of one that never will" "$(squeue -h -j "${ids[2]}" -o %E)"
touch go
ended "$runs" "${ids[10]}" "${ids[11]}" "${ids[13]}"
until_reason "${ids[12]}" DependencyNeverSatisfied
for i in 10 11 12 13; do fact "${names[i]}, at its end" "$(state "${ids[i]}") $(reason "${ids[i]}")"; done
