#!/bin/bash
# Starts one container of a Slurm cluster, or restarts one daemon in it.
#
#     start.sh controller|compute       the container's main program; stays until it is told to stop
#     start.sh service NAME             (re)start one of munge mariadb slurmdbd slurmctld slurmd sshd
#
# Every container of a cluster gets the same environment, so that all write the same slurm.conf:
#
#     NODES            compute nodes, n1 … nN                       default 2
#     CPUS             CPUs that each node claims to have           default 128
#     GPUS_PER_NODE    devices /dev/nvidia0 … on each node          default 8; 0 is a CPU cluster
#     ACCOUNTING       1: slurmdbd with associations and limits     default 1
#     LUA              1: a job_submit.lua that rewrites comments   default 0
#     AUTHORIZED_KEY   SSH public keys that open every user's account, one a line
#     SLURMD_TIMEOUT   seconds until a silent node is down          default 30
#     CRED_EXPIRE      seconds a job credential lives; a requeued job waits one second longer; default 30
#
# The daemons go to the background and this script only waits, so that a test can kill and restart
# each of them without losing the container.
set -euo pipefail

share=/usr/local/share/trainsub
state=/var/lib/trainsub                     # a volume of the whole cluster
: "${NODES:=2}" "${CPUS:=128}" "${GPUS_PER_NODE:=8}" "${ACCOUNTING:=1}" "${LUA:=0}"
: "${AUTHORIZED_KEY:=}" "${SLURMD_TIMEOUT:=30}" "${CRED_EXPIRE:=30}"

say() { printf 'start: %s %s\n' "$(date +%T)" "$*"; }

until_true() { # SECONDS WHAT COMMAND...
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            say "gave up waiting for $what"
            return 1
        fi
        sleep 0.1
    done
}

slurm_is_at_least() { # VERSION
    local have
    have=$(slurmd -V | sed 's/^[^0-9]*//')
    [ "$(printf '%s\n' "$1" "$have" | sort -V | head -n 1)" = "$1" ]
}

# --- configuration ---------------------------------------------------------------------------------

fill() { # TEMPLATE TARGET: lines that begin with "if:NAME " stay only where NAME is a chosen variant
    local variants=()
    if [ "$ACCOUNTING" = 1 ]; then variants+=(accounting); else variants+=(no-accounting); fi
    if [ "$LUA" = 1 ]; then variants+=(lua); fi
    if [ "$GPUS_PER_NODE" -gt 0 ]; then variants+=(gpu); else variants+=(no-gpu); fi
    local keep=()
    for name in "${variants[@]}"; do keep+=(-e "s/^if:$name //"); done
    sed "${keep[@]}" -e '/^if:/d' \
        -e "s|@NODES@|$NODES|g; s|@CPUS@|$CPUS|g; s|@GPUS@|$GPUS_PER_NODE|g" \
        -e "s|@LAST_GPU@|$((GPUS_PER_NODE - 1))|g; s|@MEMORY@|$((CPUS * 8000))|g" \
        -e "s|@SLURMD_TIMEOUT@|$SLURMD_TIMEOUT|g; s|@CRED_EXPIRE@|$CRED_EXPIRE|g" \
        "$share/etc/$1" >"$2"
}

configure_slurm() {
    fill slurm.conf /etc/slurm/slurm.conf
    fill gres.conf /etc/slurm/gres.conf
    if slurm_is_at_least 23.11; then
        # Without --privileged there is no cgroup tree to write to; 22.05 does not know the word.
        echo 'CgroupPlugin=disabled' >/etc/slurm/cgroup.conf
    fi
    if [ "$LUA" = 1 ]; then
        cp "$share/etc/job_submit.lua" /etc/slurm/job_submit.lua
    fi
}

share_munge_key() {
    # Whichever container comes first makes the key; a hard link lets exactly one of them win.
    install -d -m 0711 "$state"             # slurmctld, not root, passes through to its own folder
    if ! [ -e "$state/munge.key" ]; then
        (umask 077 && head -c 1024 /dev/urandom >"$state/munge.key.$HOSTNAME")
        ln "$state/munge.key.$HOSTNAME" "$state/munge.key" 2>/dev/null || true
        rm -f "$state/munge.key.$HOSTNAME"
    fi
    install -o munge -g munge -m 0400 "$state/munge.key" /etc/munge/munge.key
}

make_homes() {
    local user home
    for user in alice bob tess finn; do
        home=/home/$user
        # Slurm ends jobs with 0:53 where the home does not belong to the user.
        [ -d "$home" ] && continue
        install -d -o "$user" -g "$user" -m 0700 "$home"
        if [ -d "$share/homes/$user" ]; then
            cp -R "$share/homes/$user/." "$home/"
            chown -R "$user:$user" "$home"
        fi
    done
}

configure_sshd() {
    install -d -m 0755 "$state/ssh" /run/sshd
    # Host keys live as long as the cluster, so that a restarted controller stays known.
    [ -e "$state/ssh/ssh_host_ed25519_key" ] ||
        ssh-keygen -q -t ed25519 -N '' -C controller -f "$state/ssh/ssh_host_ed25519_key"
    cp "$share/etc/sshd_config" /etc/ssh/sshd_config
    # From OpenSSH 9.8 on, sshd shuts out an address that failed a few times. All tests come from one.
    if /usr/sbin/sshd -t -o PerSourcePenalties=no 2>/dev/null; then
        echo 'PerSourcePenalties no' >>/etc/ssh/sshd_config
    fi
    printf '%s\n' "$AUTHORIZED_KEY" >/etc/ssh/authorized_keys
}

# --- daemons ---------------------------------------------------------------------------------------

start_munge() {
    pkill -x munged && sleep 0.2
    rm -f /run/munge/munge.socket.2 /run/munge/munged.pid
    setpriv --reuid munge --regid munge --clear-groups /usr/sbin/munged
}

start_mariadb() {
    if ! pgrep -x mariadbd >/dev/null; then
        # A test's database: losing the last second of it in a crash is fine, waiting for the disk is not.
        setsid mariadbd --user=mysql --skip-networking --innodb-buffer-pool-size=128M \
            --innodb-flush-log-at-trx-commit=0 --innodb-log-file-size=64M \
            --innodb-lock-wait-timeout=900 --skip-log-bin >/var/log/mariadb.log 2>&1 </dev/null &
    fi
    until_true 60 mariadb mariadb -e 'SELECT 1'
    mariadb -e "CREATE DATABASE IF NOT EXISTS slurm_acct_db;
        CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED VIA unix_socket;
        GRANT ALL ON slurm_acct_db.* TO slurm@localhost;"
}

start_slurmdbd() {
    pkill -x slurmdbd && until_true 20 'slurmdbd to end' bash -c '! pgrep -x slurmdbd'
    install -o slurm -g slurm -m 0600 "$share/etc/slurmdbd.conf" /etc/slurm/slurmdbd.conf
    slurmdbd
    until_true 60 slurmdbd sacctmgr -n show cluster
}

cluster_is_known() {
    sacctmgr -nP show cluster format=cluster | grep -qx sandbox &&
        { [ "$GPUS_PER_NODE" -eq 0 ] || sacctmgr -nP show tres format=type,name | grep -qx 'gres|gpu'; }
}

make_associations() {
    # It is slurmctld that tells the database of the cluster and of the TRES that the limits speak of.
    until_true 60 'the cluster in the database' cluster_is_known
    if [ -z "$(sacctmgr -n show account research)" ]; then
        fill associations /etc/slurm/associations
        sacctmgr -i </etc/slurm/associations >/var/log/slurm/associations.log
    fi
}

nodes_resolve() {
    local i
    for ((i = 1; i <= NODES; i++)); do getent hosts "n$i" >/dev/null || return 1; done
}

start_slurmctld() {
    pkill -x slurmctld && until_true 20 'slurmctld to end' bash -c '! pgrep -x slurmctld'
    install -d -o slurm -g slurm -m 0755 "$state/slurmctld"
    # slurmctld drops for good the nodes whose names do not resolve when it starts.
    until_true 120 'the names of all nodes' nodes_resolve || true
    # Killed in its first minutes, 26.05 has not written this file yet and will not start without it.
    local options=()
    [ -e "$state/slurmctld/assoc_usage" ] || options=(-i)
    slurmctld "${options[@]}"
    until_true 30 slurmctld scontrol ping
}

start_sshd() {
    # Only the listener: sessions that are open survive, as when a real sshd is restarted.
    [ -e /run/sshd.pid ] && kill "$(cat /run/sshd.pid)" 2>/dev/null && sleep 0.2
    /usr/sbin/sshd
}

start_slurmd() {
    local i
    for ((i = 0; i < GPUS_PER_NODE; i++)); do
        [ -e "/dev/nvidia$i" ] || mknod -m 0666 "/dev/nvidia$i" c 1 3
    done
    pkill -x slurmd && until_true 20 'slurmd to end' bash -c '! pgrep -x slurmd'
    slurmd -N "$HOSTNAME"
}

# --- roles -----------------------------------------------------------------------------------------

stay() { # DAEMON...: ends when the container is told to stop, after telling the daemons
    trap 'say "stopping"; pkill -TERM -x "$(IFS="|"; echo "$*")" || true; sleep 1; exit 0' TERM INT
    say "$HOSTNAME is up"
    while :; do sleep infinity & wait $! || true; done
}

controller() {
    share_munge_key
    start_munge
    configure_slurm
    make_homes
    configure_sshd
    start_sshd
    if [ "$ACCOUNTING" = 1 ]; then
        start_mariadb
        start_slurmdbd
    fi
    start_slurmctld
    [ "$ACCOUNTING" = 0 ] || make_associations
    stay slurmctld slurmdbd mariadbd
}

compute() {
    share_munge_key
    start_munge
    configure_slurm
    until_true 300 'the name of the controller' getent hosts controller
    start_slurmd
    stay slurmd
}

case ${1:-} in
    controller | compute) "$1" ;;
    service) "start_$2" ;;
    *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
