# --dependency=singleton: of the jobs of one name and user one runs at a time, in order

script job <<'END'
echo "$SLURM_JOB_ID" >>order
until [ -e go ]; do sleep 0.3; done
END
# Of this row alone, whoever else runs it.
name=one-${DIR##*.}
a=$(submit --job-name="$name" --dependency=singleton job)
b=$(submit --job-name="$name" --dependency=singleton job)
c=$(submit --job-name="$name-other" --dependency=singleton job)
until_state "$a" RUNNING
fact "the second" "$(state "$b") $(reason "$b")"
touch go
ended "$a" "$b" "$c"
fact "order" "$(grep -v "$c" order | tr '\n' ' ')"
fact "at the end" "$(state "$a") $(state "$b") $(state "$c")"
