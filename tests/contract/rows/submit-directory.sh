# A job works where sbatch ran or where --chdir says, and gets its arguments

script job <<'END'
pwd
echo "$#: $1, $2, $3"
echo "submitted from $SLURM_SUBMIT_DIR"
[ "$SLURM_SUBMIT_HOST" = "$(cat host)" ] && echo "on the submitting host"
echo "on stderr" >&2
cat
echo "umask $(umask)"
case $0 in "$HOME"/row*) echo "the file itself" ;; *) echo "a copy of the script" ;; esac
END
hostname >host
mkdir -p "sub folder"
cp host "sub folder/host"
echo "input" >words
umask 027
one=$(submit --output=one.out job "a b" '' '*')
two=$(submit --chdir="$DIR/sub folder" --output=two.out --input="$DIR/words" job 'a"b' "it's" '$HOME')
three=$(submit --chdir=/no/such/folder --output="$DIR/three.out" job 1 2 3)
ended "$one" "$two" "$three"
lines "here" <one.out
lines "elsewhere" <"sub folder/two.out"
fact "no such folder" "$(state "$three")"
head -n 1 three.out | lines "no such folder"
