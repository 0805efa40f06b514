# sacct finds jobs by id, name, state and time; without -S it begins at midnight; unknown ids are no error

script sleeps <<'END'
exec sleep 100
END
script fails <<'END'
exit 1
END
name=name-$$
failed=$(submit --job-name=$name --output=log fails)
cancelled=$(submit --hold --job-name=$name-held --output=log fails)
runs=$(submit --job-name=$name --nodelist="${prefix}4" --output=log sleeps)
ended "$failed"
until_state "$runs" RUNNING
scancel "$cancelled"
ended "$cancelled"
booked "$failed" "$cancelled"
knows() { [ "$(sacct -nXP -j "$runs" -o State)" = RUNNING ]; }
await knows
show() { # name, arguments
    local name=$1
    shift
    said "$name" sacct -nXP -o JobID,State "$@"
}
all="$failed,$cancelled,$runs"
show ids -j "$all"
show name --name=$name
show names --name=$name,$name-held
show "names since long" --name=$name,$name-held -S now-1days
show "unknown name" --name=nobody-$$
show "state" -j "$all" -s F
show "state running" -S now-1hour -s R --name=$name
show "states" -S now-1hour -E now -s F,CA --name=$name,$name-held
show "long ago" -S 2020-01-01 -E 2020-02-01 --name=$name
show "long ago by id" -S 2020-01-01 -E 2020-02-01 -j "$failed"
show "in the future" -S now+1hour -j "$failed"
show "seconds" -S "uts$(($(date +%s) - 600))" -j "$failed"
show "user" -u "$(id -un)" --name=$name
show "unknown user" -u nobody-at-all --name=$name
show "unknown" -j 999999
show "unknown among others" -j "999999,$failed"
show "no id" -j twelve
show "bad time" -S soon
show "bad state" -s SLEEPING
show "unknown option" --no-such-option
show "node" -N "${prefix}4" -S now-1hour --name=$name
show "partition" -r gpu -S now-1hour --name=$name
show "another partition" -r debug -S now-1hour --name=$name
