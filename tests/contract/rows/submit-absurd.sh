# What no node or partition can give is refused at submit

script job <<'END'
true
END
try() {
    said "$*" sbatch "$@" job
}
try --nodes=99
try --gpus-per-node=99
try --gres=gpu:99
try --gpus-per-node=a100:1
try --cpus-per-task=999
try --ntasks=9999
try --mem=999999G
try --nodes=1 --ntasks=200
try --partition=nowhere
try --partition=gpu,nowhere
try --time=30-0
try --partition=debug --time=1:00:00
try --partition=debug --nodes=3
try --nodelist=${prefix}1 --exclude=${prefix}1
try --nodes=4 --exclude=${prefix}1
