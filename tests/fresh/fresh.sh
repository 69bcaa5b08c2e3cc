#!/usr/bin/env bash
# ./lab fresh [SUITE...] [--programs] [--soak WORDS...]: does it run where people are? For each suite of Debian a bare
# system in a directory, a clean clone of HEAD in it, and there the README's two commands: ./lab run 01, which must answer
# a line and end; ./lab test. On sid, which changes daily, and everywhere with --programs, which takes a third of the time,
# all programs are built instead of the tests, and the five servers are asked a line each.
# With --soak, instead of all that: ./lab soak with these words. What a soak that fails has kept is kept.
# Exit: 0 all is well, 1 something failed, 2 wrong usage, 77 this machine does not let us try.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Bounds for one suite, whole.
most_minutes=45
readonly most_minutes_of_soak=240
readonly most_megabytes=12000
readonly place=${TMPDIR:-/var/tmp}/five_servers.fresh
readonly kept_by_soaks='tmp/five_soak.*' # in the bare system

say() { printf 'fresh: %s\n' "$*" >&2; }
cannot() { say "cannot try it here: $*"; exit 77; }

# ---- from this machine's apt ----------------------------------------------------------------------------------------

mirror() { # where this machine gets Debian from; empty, where it is another system: then debootstrap knows
    # shellcheck disable=SC2016 # apt's own words
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2> /dev/null | grep -m 1 '^http' || true
}
settings() { apt-config dump | grep -E '^Acquire::(https?|Check-|Retries).* ".+";$' || true; } # proxies and the like
environment() { env | grep -iE '^(https?|ftp|all|no)_proxy=' || true; }
use_the_proxy_of_apt() { # debootstrap knows the environment only
    local proxy=''
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    if [ -n "$proxy" ] && [ "$proxy" != DIRECT ]; then export http_proxy=${http_proxy:-$proxy}; fi
}

# ---- a system of its own --------------------------------------------------------------------------------------------

suite='' root='' running='' deadline=0

# Runs something with processes and mounts of its own, within the suite's bounds. The kernel ends both with the first of
# these processes, and that one it kills when we are gone, however we went: nothing stays behind.
bounded() { # command...
    local status=0 looks=0
    setpriv --pdeathsig KILL unshare --mount --propagation private --mount-proc --pid --ipc --fork --kill-child \
        env --default-signal "$@" < /dev/null & # which the shell has made ignore SIGINT
    running=$!
    while kill -0 $running 2> /dev/null; do
        sleep 1
        if [ $SECONDS -gt $deadline ]; then
            say "$suite: not done after $most_minutes minutes: stopped"
            kill -KILL $running
        elif [ $((++looks % 20)) -eq 0 ] && [ "$(du -sxm "$root" 2> /dev/null | cut -f 1)" -gt $most_megabytes ]; then
            say "$suite: it takes more than $most_megabytes MB of disk: stopped"
            kill -KILL $running
        fi
    done
    wait $running || status=$?
    running=''
    return $status
}
inside() { # command...: as root of the bare system, in the clone
    local kept
    mapfile -t kept < <(environment)
    # Not by chroot: in one the kernel allows no user namespaces, and tests that pull a cable need them.
    # shellcheck disable=SC2016 # the inner shell's
    bounded env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "${kept[@]}" sh -c '
        mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" && mount --rbind /dev "$0/dev" &&
            mount -t tmpfs tmpfs "$0/run" && cd "$0" && pivot_root . . && umount -l . && cd /srv/five_servers && exec "$@"' \
        "$root" "$@"
}
cleanup() {
    trap '' INT TERM HUP
    if [ -n "$running" ]; then
        kill -KILL "$running" 2> /dev/null || true
        wait "$running" 2> /dev/null || true
    fi
    if [ -n "$root" ]; then rm -rf --one-file-system "$root" "$root".*; fi
    rmdir "$place" 2> /dev/null || true
}

make_bare_system() {
    local source scripts=/usr/share/debootstrap/scripts words=()
    source=$(mirror)
    use_the_proxy_of_apt
    say "$suite: a bare system, from ${source:-Debian}"
    words=(--variant=minbase --merged-usr)
    if [[ $source == https:* ]]; then words+=(--include=ca-certificates); fi
    words+=("$suite" "$root" "$source")
    # All of Debian's suites are made alike by now; an older debootstrap does not know the newer names.
    if [ ! -e "$scripts/$suite" ]; then words+=("$scripts/sid"); fi
    if ! bounded debootstrap "${words[@]}" > "$root.log" 2>&1; then
        say "$suite: debootstrap could not make the system: $(grep -E '^[EW]:|rror' "$root.log" | tail -1)"
        return 1
    fi
    settings > "$root/etc/apt/apt.conf.d/99from-outside"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    if [[ $source == https:* ]]; then
        cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2> /dev/null || true
    fi
    git clone --quiet --depth 1 "file://$PWD" "$root/srv/five_servers"
    if [[ $source == https:* ]]; then inside update-ca-certificates > /dev/null; fi
}

# ---- what is tried in it --------------------------------------------------------------------------------------------

passed=0 failed=0 skipped=0
count() { # what command...
    local what=$1 status=0
    shift
    say "$suite: $what"
    "$@" >&2 || status=$?
    case $status in
        0) passed=$((passed + 1)) ;;
        77) say "$suite: skipped: $what, see above"; skipped=$((skipped + 1)) ;;
        *) say "$suite: FAILED: $what"; failed=$((failed + 1)) ;;
    esac
}
first_command() {
    local port=()
    if (exec 3<> /dev/tcp/127.0.0.1/1234) 2> /dev/null; then
        say "somebody on this machine has port 1234: ./lab run 01 gets another"
        port=(-- --port 0)
    fi
    count './lab run 01, and a line to it' inside tests/fresh/ask.sh ECHO ./lab run 01 "${port[@]}"
}
second_command() {
    say "$suite: ./lab test"
    local status=0 counts
    inside ./lab test > "$root.tests" || status=$?
    counts=$(sed -n 's/^Tests: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$root.tests" | tail -1)
    say "$suite: $(tail -1 "$root.tests")"
    local inner
    read -ra inner <<< "${counts:-0 0 0}"
    passed=$((passed + inner[0])) failed=$((failed + inner[1])) skipped=$((skipped + inner[2]))
    if [ $status -ne 0 ] && [ "${inner[1]}" -eq 0 ]; then
        say "$suite: FAILED: ./lab test, with $status"
        failed=$((failed + 1))
    fi
}
all_programs() {
    local program kind
    count './lab build programs' inside ./lab build programs
    count './lab build bench' inside ./lab build bench
    for program in [0-9][0-9]_*/; do
        kind=ECHO
        if [ "$program" = 05_chat/ ]; then kind=CHAT; fi
        count "a line to ${program%/}" inside tests/fresh/ask.sh $kind "build/bin/${program%/}" --port 0
    done
}
soak_there() {
    local kept failed_before=$failed
    count "./lab soak ${soak[*]}" inside ./lab soak "${soak[@]}"
    for kept in "$root"/$kept_by_soaks; do
        if [ $failed -gt $failed_before ] && [ -e "$kept" ]; then
            mv "$kept" "$place/soak_of_$suite.${kept##*.}"
            say "$suite: kept: $place/soak_of_$suite.${kept##*.}"
        fi
    done
}

try() { # suite
    suite=$1 root=$place/$1 deadline=$((SECONDS + most_minutes * 60))
    local start=$SECONDS
    mkdir -p "$place"
    exec 9> "$root.lock"
    flock --nonblock 9 || { root=''; say "$suite: is being tried already, in $place"; exit 1; }
    rm -rf --one-file-system "$root" # of one that was killed
    if [ "$(df -Pm "$place" | awk 'END { print $4 }')" -lt $most_megabytes ]; then
        cannot "it needs $most_megabytes MB below $place"
    fi
    if make_bare_system; then
        if [ ${#soak[@]} -gt 0 ]; then
            soak_there
        else
            first_command
            if [ "$suite" = sid ] || [ $programs = yes ]; then all_programs; else second_command; fi
        fi
    else
        failed=$((failed + 1))
    fi
    say "$suite: took $(((SECONDS - start + 30) / 60)) minutes and $(du -sxm "$root" | cut -f 1) MB"
    rm -rf --one-file-system "$root" "$root".*
}

suites=() soak=() programs=no
asked="$*"
while [ $# -gt 0 ]; do
    case $1 in
        bookworm | trixie | sid) suites+=("$1") ;;
        --programs) programs=yes ;;
        --soak)
            soak=("${@:2}")
            if [ ${#soak[@]} -eq 0 ]; then say "--soak what? All words after it are for ./lab soak, as in --soak etcd"; exit 2; fi
            most_minutes=$most_minutes_of_soak
            break
            ;;
        *) say "there is no suite $1 here; suites: bookworm trixie sid"; exit 2 ;;
    esac
    shift
done
if [ ${#suites[@]} -eq 0 ]; then suites=(trixie); fi
needs="a bare system is made with debootstrap, chroot and namespaces"
if [ "$(id -u)" -ne 0 ]; then cannot "$needs, which root may use; try: sudo ./lab fresh $asked"; fi
if ! command -v debootstrap > /dev/null; then cannot "$needs; install debootstrap"; fi
if ! problem=$(unshare --mount --pid --fork --mount-proc --propagation private true 2>&1); then
    cannot "$needs, and this machine refuses those ($problem)"
fi
if [ -n "$(git status --porcelain)" ]; then say "what is not committed is not in the clone"; fi

trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
for name in "${suites[@]}"; do try "$name"; done
printf 'Tests: %d passed, %d failed, %d skipped\n' $passed $failed $skipped
[ $failed -eq 0 ] && [ $passed -gt 0 ]
