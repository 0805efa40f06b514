# Answers requests until the input ends.  A request is a length and so much shell text, in braces: half of one is no
# command at all.
while read -r TS_COUNT; do
	case $TS_COUNT in
	'' | *[!0-9]*) break ;;
	esac
	eval "$(exactly "$TS_COUNT")"
	frame end
done
frame bye
