#!/usr/bin/env bash
# ask.sh ECHO|CHAT COMMAND...: starts a server, says a line to it, hears the answer, and ends it with SIGTERM.
# It needs nothing but bash.
set -euo pipefail

readonly most_seconds_to_start=1800 # ./lab run installs and compiles first
readonly most_seconds=10            # for everything else

kind=$1
shift
die() { printf 'ask: %s: %s\n' "$command" "$*" >&2; exit 1; }
command="$*"

exec 3< <(exec "$@")
server=$!
trap 'kill -KILL $server 2> /dev/null || true' EXIT
IFS= read -r -t $most_seconds_to_start first <&3 || die "it has ended, or said nothing, instead of \"Listening on …\""
[[ $first =~ ^Listening\ on\ ([^ ]*):([0-9]+)$ ]] || die "its first line is \"$first\", not \"Listening on …\""

case $kind in
    ECHO) say=$'Hello!\n' hear='ECHO Hello!' ;;
    CHAT) say=$'Ann\nHello!\n' hear='Ann says: Hello!' ;;
esac
exec 4<> "/dev/tcp/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}" || die "no connection to it"
printf %s "$say" >&4
heard=''
until [[ $heard == *"$hear"* ]]; do
    IFS= read -r -t $most_seconds line <&4 || die "asked \"${say//$'\n'/ ⏎}\", it does not answer \"$hear\"; it said: $heard"
    heard+=$line$'\n'
done
exec 4>&-

kill -TERM $server
while IFS= read -r -t $most_seconds _ <&3; do :; done # its story, to the end
[ ! -e /proc/$server/exe ] || die "it still runs $most_seconds seconds after SIGTERM"
status=0
wait $server || status=$?
case $status in
    0 | 143) ;; # 143: by the signal, as 01 may
    *) die "it has ended with $status" ;;
esac
printf 'ask: %s: answers "%s"\n' "$command" "$hear" >&2
