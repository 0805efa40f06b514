# Of tasks that print in pieces, lines of up to 1,023 bytes stay whole, unless --unbuffered wants each piece at once

tells job <<'END'
cat >pieces <<'PIECES'
for piece in a b c d e f g h; do printf '%s' "$SLURM_PROCID$piece "; sleep 0.02; done
echo
PIECES
told "to the log" srun sh pieces
told "errors" srun sh -c 'sh pieces >&2'
told "to one file" srun --output=one sh pieces
sort one
told "to files" srun --output='own-%t' sh pieces
cat own-0 own-1 own-2 own-3
cat >half <<'HALF'
printf "${piece:-half}"
touch written
until [ -e go ]; do sleep 0.1; done
echo " and half"
HALF
for how in --unbuffered --label --open-mode=append; do
    rm -f written go
    srun "$how" -n 1 sh half >got &
    until [ -e written ]; do sleep 0.1; done
    sleep 1
    echo "$how: $(cat got)"
    touch go
    wait
    echo "$how: $(cat got)"
done
for size in 1023 1024 4000; do
    rm -f written go
    piece=$(printf "%0${size}d" 0) srun -n 1 sh half >got &
    until [ -e written ]; do sleep 0.1; done
    sleep 1
    echo "of $size: $(wc -c <got)"
    touch go
    wait
    echo "of $size: $(wc -c <got)"
done
echo "open end: $(srun -n 1 printf 'a\nb' | wc -c)"
echo "open end, label: $(srun --label -n 1 printf 'a\nb' | wc -c)"
echo "open end, unbuffered: $(srun --unbuffered -n 1 printf 'a\nb' | wc -c)"
echo "zeros: $(srun -n 1 printf 'a\0b\n' | od -An -c | tr -d ' ')"
echo "returns: $(srun -n 1 printf 'a\rb\r\n' | od -An -c | tr -d ' ')"
END
id=$(submit --nodelist="${prefix}1" --ntasks=4 --output=log job)
ended "$id"
steady <log | lines "told"
