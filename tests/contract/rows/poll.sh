# trainsub's own queries tell of a job that waits, one that runs and one that has ended

script quick <<'END'
exit 7
END
script sleeps <<'END'
sleep 100
END
held=$(submit --hold --job-name=held --comment=trainsub:held:1 --gpus-per-node=1 quick)
runs=$(submit --job-name='two words' --nodes=2 --gpus-per-node=3 --ntasks-per-node=1 --time=10 --comment='a|b' sleeps)
failed=$(submit --job-name=failed quick)
until_state "$runs" RUNNING
ended "$failed"
booked "$failed"
raw squeue "queue"
raw squeue "by name" --name=held
raw squeue "no such name" --name=nobody
raw sacct "records" --jobs="$held,$runs,$failed"
raw sacct "records by name" --name='two words,failed'
raw sacct "no such record" --jobs=799999
scancel "$held" "$runs"
ended "$held" "$runs"
booked "$held" "$runs"
raw squeue "queue after the end"
raw sacct "records after the end" --jobs="$held,$runs,$failed"
