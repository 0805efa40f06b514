# Output of steps goes to the log, under labels, or to files by task; input goes to every task, or to one

tells job <<'END'
told labels srun --label sh -c 'echo "out $SLURM_PROCID"; echo "err $SLURM_PROCID" >&2'
told "to files 1" srun --output='task-%t.txt' sh -c 'echo "to $SLURM_PROCID"'
cat task-0.txt task-1.txt task-2.txt task-3.txt
told "to files 2" srun --output='step-%J-%s-%j.txt' --error='step-%t-%n.err' sh -c 'echo out; echo "err $SLURM_PROCID" >&2'
ls step-*
sort step-*.txt | uniq -c | sed 's/^ *//'
sort step-*.err
told "input to all" sh -c 'echo word | srun -n 2 cat'
told "input to one" sh -c 'echo word | srun --input=1 -n 2 sh -c "read -r line; echo \"\$SLURM_PROCID got \${line:-nothing}\""'
echo "of a file" >file
told "input of a file" srun --input=file -n 1 cat
told "output to none" srun --output=none -n 1 echo hidden
told "output to a device" srun --output=/dev/null -n 1 echo hidden
told "no end of line" srun --unbuffered -n 1 printf 'half a line'
told quiet srun --quiet -n 1 sh -c 'exit 4'
echo old >kept
told "to files 3" srun --open-mode=append --output=kept -n 1 echo new
told "to files 4" srun --output=replaced -n 1 echo old
told "to files 5" srun --output=replaced -n 1 echo new
paste -s kept replaced
END
id=$(submit --nodelist="${prefix}1" --ntasks=4 --output=log job)
ended "$id"
lines "told" <log
