# sinfo tells trainsub the partitions, their limits, nodes and GPUs
# alone

raw sinfo partitions
lines "names" <<END
$(sinfo -h -p gpu,debug -o '%P %a %l %L %D %G %N' | sort)
END
