# --test-only says where a job would start, or why it cannot, and submits nothing

script job <<'END'
true
END
said good sbatch --test-only --nodelist="${prefix}1" --job-name=rehearsal job
said "two nodes" sbatch --test-only --nodelist="${prefix}[1-2]" --nodes=2 --gpus-per-node=1 --ntasks-per-node=4 job
said "too many nodes" sbatch --test-only --nodes=99 job
said "wrong partition" sbatch --test-only --partition=nowhere job
said "too long" sbatch --test-only --time=30-0 job
said "bad option" sbatch --test-only --no-such-option job
fact "in the queue" "$(squeue --me -h -t all -n rehearsal -o %i)."
