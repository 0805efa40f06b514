# sbatch prints the id of the new job, with --parsable nothing else

script job <<'END'
true
END
said parsable sbatch --parsable job
said plain sbatch job
said named sbatch --parsable --job-name=run-1 --comment=trainsub:run-1:1 --chdir="$DIR" --output="$DIR/%j.out" --open-mode=append job a b
said wrapped sbatch --parsable --wrap='echo hello'
said "from standard input" sh -c 'printf "#!/bin/sh\necho hello\n" | sbatch --parsable --output=piped.out'
keep "$(sed -n 's/^[0-9]*$/&/p' .out)"
fact version "$(sbatch --version | sed 's/^slurm[a-z-]* [0-9][0-9.]*.*/slurm NUMBER/')"
for id in $(cat .jobs); do ended "$id"; done
lines piped <piped.out
