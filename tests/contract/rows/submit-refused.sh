# More that a cluster cannot give, or does not let a user have, is refused at submit

script job <<'END'
true
END
try() {
    said "$*" sbatch --parsable --time=1 "$@" job
}
try --constraint=no-such-feature
try --reservation=none
try --licenses=none:1
try --nice=-5
try --deadline=2020-01-01
try --deadline=now+1minute --time=60
try --mem=64G --mem-per-cpu=1G
try --ntasks-per-node=200
try --gpus-per-node=9
try --gpus=40
try --nodes=1 --gpus=9
try --cpus-per-task=129
try --mem-per-cpu=2000G
try --signal=USR1@99999
try --time=0
try --time=-5
try -N
