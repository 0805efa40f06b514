# Patterns in --output and --error; without them slurm-%j.out and slurm-%A_%a.out

script job <<'END'
echo out
echo err >&2
END
mkdir logs
default=$(submit job)
array=$(submit --array=3 job)
named=$(submit --nodelist="${prefix}1" --job-name=lines --output='%x-%j-%u-%N-%n-%t-%%-%A-%a-%5j-%J.out' job)
of_array=$(submit --array=7 --job-name=many --output='%x-%A-%a-%3a.out' job)
split=$(submit --output=split.out --error='split-%j.err' job)
deep=$(submit --output="$DIR/logs/%j.out" job)
ended "$default" "$array" "$named" "$of_array" "$split" "$deep"
for name in *.out *.err logs/*; do [ -f "$name" ] && lines "$name" <"$name"; done
nowhere=$(submit --output=no/such/folder/%j.out job)
booked "$nowhere"
fact "in a folder that is missing" "$(sacct -nPX -j "$nowhere" -o State,ExitCode), $(squeue -h -t all -j "$nowhere" -o %r)"
null=$(submit --output=/dev/null job)
ended "$null"
fact "to /dev/null" "$(state "$null")"
