# A job gets as many GPUs of a node as it asked for, and two jobs on the node get different ones

script job <<'END'
echo "$CUDA_VISIBLE_DEVICES $SLURM_GPUS_ON_NODE" >"$1.script"
srun --ntasks=1 sh -c 'echo "$CUDA_VISIBLE_DEVICES ${SLURM_STEP_GPUS-unset} ${SLURM_GPUS_ON_NODE-unset}"' >"$1.task"
echo "$SLURM_JOB_GPUS" >"$1.real"
until [ -e go ]; do sleep 0.3; done
END
one=$(submit --nodelist="${prefix}4" --gpus-per-node=2 --output=log job one)
two=$(submit --nodelist="${prefix}4" --gres=gpu:h100:3 --output=log job two)
three=$(submit --nodelist="${prefix}4" --gpus=1 --output=log job three)
none=$(submit --nodelist="${prefix}4" --output=log job none)
for name in one two three none; do until_file $name.real; done
for name in one two three none; do
    fact "$name" "script $(cat $name.script | tr 0-9 N)"
    fact "$name tasks" "$(cat $name.task | tr 0-9 N)"
done
fact "GPUs held twice" "$(cat one.real two.real three.real | tr , '\n' | sort | uniq -d)."
fact "GPUs held" "$(cat one.real two.real three.real | tr , '\n' | sort | wc -l | tr -d ' ')"
touch go
ended "$one" "$two" "$three" "$none"
