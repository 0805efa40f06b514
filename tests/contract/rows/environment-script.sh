# Slurm's variables in the batch script of a job of 2 nodes with 2 tasks and 2 GPUs each

script job <<'END'
env | grep '^SLURM\|^CUDA' | grep -v '^SLURM_CONF=' | sort
END
id=$(submit --job-name=lists --time=5 --nodelist="${prefix}[1-2]" --nodes=2 --ntasks-per-node=2 --gpus-per-node=2 --cpus-per-task=3 --output=log job)
ended "$id"
# What depends on the site, on the network or on the moment.
grep -v '^SLURM_\(CLUSTER_NAME\|JOB_ACCOUNT\|JOB_QOS\|TASK_PID\|GTIDS\|SCRIPT_CONTEXT\|TOPOLOGY_ADDR\|TOPOLOGY_ADDR_PATTERN\|SUBMIT_HOST\|PRIO_PROCESS\|NODE_ALIASES\|JOB_SLUID\|WORKING_CLUSTER\|JOB_UID\|JOB_GID\|JOB_USER\|JOB_GROUP\|OOM_KILL_STEP\|MEM_PER_CPU\|MEM_PER_NODE\)=' log |
    sed 's/=1[0-9]\{9\}$/=$EPOCH/; /^SLURM_JOB_GPUS=\|^CUDA_VISIBLE_DEVICES=/s/[0-9]/N/g' | lines "set"
fact "identity" "$(grep -c "^SLURM_JOB_UID=$(id -u)\$\|^SLURM_JOB_USER=$(id -un)\$" log)"
