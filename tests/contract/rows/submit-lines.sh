# #SBATCH lines end with the first command; quotes group, a backslash escapes, # begins a comment

cat >job <<'END'
#!/bin/bash
# a comment
#SBATCH --hold

#SBATCH --time=3 --partition=debug
#SBATCH --job-name="two words"
#SBATCH --comment='it is "quoted"'   # and a comment
   #SBATCH --time=4
##SBATCH --time=5
true
#SBATCH --time=6
END
show() {
    fact "$1" "$(squeue -h -t all -j "$2" -o '%j, %l, %P, %k')"
}
show "lines" "$(submit job)"
comment() { # text of the option as it stands in the script
    printf '#!/bin/sh\n#SBATCH --hold --comment=%s\ntrue\n' "$1" >job
    fact "$1" "$(squeue -h -t all -j "$(submit job)" -o '%k')"
}
comment 'plain'
comment 'trainsub:run:1'
comment '"double quoted"'
comment "'single quoted'"
comment '"in \\"double\\""'
comment '"back\\\\slash"'
comment '"dollar $HOME"'
comment '"hash # inside"'
comment 'a"b c"d'
comment '"tick `true`"'
printf '#!/bin/sh\n#SBATCH -H -t 8 -J short -p debug\n#SBATCH -c2 -N 2\ntrue\n' >job
id=$(submit job)
show "short options" "$id"
fact "resources" "$(squeue -h -t all -j "$id" -o '%D nodes, %C CPUs')"
