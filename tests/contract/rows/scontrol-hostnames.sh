# scontrol show hostnames writes one node a line, show hostlist folds them again; inside a job they know its nodes

said "one" scontrol show hostnames a1
said "range" scontrol show hostnames 'a[1-3,7],b,c[08-11]'
said "comma" scontrol show hostnames a1,a2,b
said "two dimensions" scontrol show hostnames 'a[1-2]b[3-4]'
said "hostlist" scontrol show hostlist a1,a2,a3,b,a7
said "as given" scontrol show hostlist a3,a1,a2,a1
said "sorted" scontrol show hostlistsorted a3,a1,a2,a1
said "broken" scontrol show hostnames 'a[1-'
said "outside of a job" env -u SLURM_JOB_NODELIST -u SLURM_NODELIST scontrol show hostnames
script job <<'END'
scontrol show hostnames
scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1
scontrol show hostname "$SLURM_JOB_NODELIST" | tail -n 1
END
id=$(submit --nodelist="${prefix}[2-4]" -N3 --output=log job)
ended "$id"
lines "inside" <log
