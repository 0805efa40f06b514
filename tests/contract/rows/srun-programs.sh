# A program that srun cannot start, or a call that it does not understand: its words and exit codes

tells job <<'END'
echo true >plain
echo 'echo "a script without its first line"' >text
chmod +x text
told missing srun -N1 -n1 -w "$1" no-such-program
told "missing path" srun -N1 -n1 -w "$1" /no/such/program
told "not executable" srun -N1 -n1 -w "$1" ./plain
told directory srun -N1 -n1 -w "$1" /tmp
told "no first line" srun -N1 -n1 -w "$1" ./text
told "on two nodes" srun -N2 -n2 /no/such/program
told "own directory" srun -N1 -n1 -w "$1" pwd
told "other directory" srun -N1 -n1 -w "$1" --chdir=/tmp pwd
told "no such directory" srun -N1 -n1 -w "$1" --chdir=/no/such/directory pwd
told words srun -N1 -n1 -w "$1" printf '<%s>' 'two words' '' '$HOME' 'a"b'
told nothing srun
told "unknown option" srun --no-such-option true
told "bad number" srun -n x true
END
id=$(submit --nodelist="${prefix}[1-2]" -N2 --ntasks-per-node=1 --output=log job "${prefix}1")
ended "$id"
booked "$id"
lines "told" <log
sacct -nP -j "$id" -o JobID,JobName,State,ExitCode | lines "sacct"
