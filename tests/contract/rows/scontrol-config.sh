# scontrol ping tells that the controller is up, show config what trainsub reads of it; each command tells its version

scontrol ping | sed 's/ at [^ ]* / at HOST /' | lines "ping"
scontrol show config | grep -E '^(AccountingStorageType|AccountingStorageTRES|JobRequeue|KillWait|MinJobAge|MaxArraySize|InactiveLimit|OverTimeLimit|EnforcePartLimits|JobFileAppend|KillOnBadExit|WaitTime) ' | sed 's/  *=/ =/' | lines "config"
fact "version in the configuration" "$(scontrol show config | grep '^SLURM_VERSION ' | sed 's/  *=/ =/; s/= .*[0-9][0-9]\.[0-9][0-9].*/= VERSION/')"
for command in sbatch squeue sacct scancel scontrol srun sinfo; do
    fact "$command --version" "$($command --version | sed 's/^slurm[-a-z]* [0-9][0-9]\.[0-9][0-9]\.[0-9].*/slurm VERSION/')"
done
fact "same version" "$(for command in sbatch squeue sacct scancel scontrol srun sinfo; do $command --version; done | sort -u | wc -l | tr -d ' ')"
scontrol show partition debug | tr ' ' '\n' | grep -E '^(PartitionName|Default|DefaultTime|MaxNodes|MaxTime|State|TotalNodes|MinNodes)=' | lines "partition"
scontrol show node "${prefix}1" | tr ' ' '\n' | grep -E '^(NodeName|NodeHostName|Gres|CPUTot)=' | lines "node"
said "no such node" scontrol show node nowhere
said "no such partition" scontrol show partition nowhere
