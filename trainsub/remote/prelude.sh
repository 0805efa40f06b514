# What every program of trainsub begins with.  POSIX sh; needs coreutils, or what macOS has, and nothing else.
# TS_NONCE and TS_SLURM_BIN are assigned on top of this text by program.py.

# The user's own settings, kept for sbatch, which hands them on to the job.
# shellcheck disable=SC2034 # only submit.sh gives them back
{
	TS_UMASK=$(umask)
	TS_LC_ALL_WAS=${LC_ALL+set}
	TS_LC_ALL=${LC_ALL-}
	TS_TZ_WAS=${TZ+set}
	TS_TZ=${TZ-}
}
umask 077

# Variables of an outer job, or of the user's taste, change what Slurm's commands do and print.
# A line of a multi-line value may look like a name here: then that name is unset, which it should be anyway.
for TS_NAME in $(env | cut -d= -f1); do
	case $TS_NAME in
	*[!A-Za-z0-9_]*) ;;
	# Where the configuration is, and how the user proves who they are.  The lists are those of slurm/environment.py.
	SLURM_CONF | SLURM_CONF_SERVER | SLURM_JWT | SLURM_SACK_JWKS | SLURM_SACK_KEY | SLURM_SACK_SOCKET) ;;
	PMIX_* | PMI_* | SACCT_* | SALLOC_* | SBATCH_* | SCANCEL_* | SCONTROL_* | SINFO_* | SLURMD_* | SLURM_* | SQUEUE_* | SRUN_*)
		unset "$TS_NAME"
		;;
	esac
done
# Times are epoch seconds in what is read, and UTC in what is asked.
LC_ALL=C SLURM_TIME_FORMAT=%s SLURM_BITSTR_LEN=0 TZ=UTC0
export LC_ALL SLURM_TIME_FORMAT SLURM_BITSTR_LEN TZ
[ -z "$TS_SLURM_BIN" ] || PATH=$TS_SLURM_BIN:$PATH

TS_NL='
'

# As many bytes of the input, and not one more: what follows is for the next reader.  And only if they come in time: a
# client may vanish without a word, and sshd then waits for hours.
within() { timeout "$1" head -c "$2"; } # seconds, bytes
# On macOS head takes as much as there is; dd takes what one read gives, and says how much that was.  There the client is
# on the same machine.
if [ "$(uname)" = Darwin ]; then
	within() { (exactly "$2"); } # seconds, bytes
	exactly() { # bytes
		TS_LEFT=$1
		while [ "$TS_LEFT" -gt 0 ]; do
			TS_BLOCK=1048576
			[ "$TS_LEFT" -gt "$TS_BLOCK" ] || TS_BLOCK=$TS_LEFT
			{ TS_SAID=$(dd bs="$TS_BLOCK" count=1 2>&1 >&3 3>&-); } 3>&1 || {
				printf '%s\n' "$TS_SAID" >&2
				return 1
			}
			TS_SAID=${TS_SAID##*"$TS_NL"}
			[ "${TS_SAID%% *}" -gt 0 ] || return 0
			TS_LEFT=$((TS_LEFT - ${TS_SAID%% *}))
		done
	}
fi

# A frame begins with a line that nothing else can print: the nonce is drawn anew for each talk.
frame() { # words: all is said in the header
	printf '\n%s.%s\n' "$TS_NONCE" "$*"
}
body() { # words: what is printed next belongs to it, until the next header
	printf '\n%s %s\n' "$TS_NONCE" "$*"
}
