# The options that a spec may give are taken, and can be seen in the job

script job <<'END'
true
END
try() { # words that scontrol may show of it, options
    local id words=$1
    shift
    # A held job: whether nodes can give it is asked only when it is released.
    id=$(submit --hold "$@" job)
    fact "$*" "$(scontrol show job "$id" | tr ' ' '\n' | grep -E "^($words)=" | sed 's/^\(NumNodes=\)\([0-9]*\)-\2$/\1\2/' | tr '\n' ' ')"
}
try 'Partition|TimeLimit' --partition=debug
try 'NumNodes|NumCPUs|NumTasks' --nodes=2
try 'NumNodes|NumCPUs|NumTasks' --ntasks=3
try 'NumNodes|NumCPUs|NumTasks' --ntasks-per-node=4
try 'NumCPUs|NumTasks|CPUs/Task' --cpus-per-task=5
try 'TresPerNode|NumNodes' --gpus-per-node=2
try 'TresPerNode' --gpus-per-node=h100:2
try 'TresPerNode' --gres=gpu:3
try 'TresPerNode' --gres=gpu:h100:3
try 'NumTasks' --nodes=1 --gpus=4
try 'MinMemoryNode' --mem=64G
try 'MinMemoryNode' --mem=0
try 'NumCPUs' --mem-per-cpu=2G
try 'OverSubscribe' --exclusive
try 'TimeLimit' --time=2
try 'TimeLimit' --time=1:30
try 'TimeLimit' --time=3:00:00
try 'TimeLimit' --time=1-2
try 'TimeLimit' --time=1-2:03:04
try 'TimeLimit' --time-min=5
try 'StartTime' --begin=2040-01-01
try 'Deadline' --deadline=2040-01-01
try 'ReqNodeList' --nodelist="${prefix}2"
try 'ReqNodeList|NumNodes' --nodelist="${prefix}[2-3]"
try 'ExcNodeList' --exclude="${prefix}1"
try 'NumNodes' --contiguous
try 'Nice' --nice=50
try 'Requeue' --requeue
try 'Requeue' --no-requeue
try 'NumNodes' --signal=B:USR1@120
try 'NumNodes' --signal=USR2@300
try 'NumNodes' --signal=10
try 'NumNodes' --signal=SIGTERM@90
try 'NumNodes' --wait-all-nodes=1
try 'NumNodes' --distribution=block:block
try 'NumNodes' --distribution=cyclic
try 'NumNodes' --hint=nomultithread
try 'NumNodes' --threads-per-core=1
try 'NumNodes' --gpus-per-node=2 --cpus-per-gpu=4
try 'NumNodes' --gpus-per-node=2 --mem-per-gpu=10G
try 'NumNodes' --propagate=NONE
try 'NumNodes' --mail-type=END,FAIL
try 'NumNodes' --mail-user=nobody@nowhere.invalid
try 'Dependency' --kill-on-invalid-dep=yes
try 'NumNodes' --open-mode=append
try 'ArrayJobId|ArrayTaskId' --array=1-3
try 'ArrayTaskId|ArrayTaskThrottle' --array=0-9:3%2
try 'Requeue' --parsable
free=$(submit --hold --comment='two words' --job-name='a/b c' job)
squeue -h -j "$free" -o '%k, %j' | lines "free text"
