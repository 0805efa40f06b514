# Jobs that find no room wait in order: the first for Resources, those behind it for Priority; then they run in that order
# alone

script fills <<'END'
until [ -e go ]; do sleep 0.3; done
END
script next <<'END'
echo "$1" >>order
END
fills=$(submit --nodes=4 --exclusive fills)
until_state "$fills" RUNNING
first=$(submit --nodes=4 --exclusive --time=3-0 next first)
until_reason "$first" Resources
second=$(submit --nodes=4 --exclusive --time=3-0 next second)
until_reason "$second" Priority
third=$(submit --hold next third)
fact "while all nodes are taken" "$(state "$first") $(reason "$first"), $(state "$second") $(reason "$second"), $(state "$third") $(reason "$third")"
squeue -h -j "$first" -o '%N|%R|%D' | lines "squeue of one that waits"
touch go
ended "$fills" "$first" "$second"
fact "order" "$(tr '\n' ' ' <order)"
scancel "$third"
