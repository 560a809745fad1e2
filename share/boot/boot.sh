#!/bin/sh
# Loads the rules that were confirmed last, before the network is there. Needs sh, nft and what is in every Debian;
# no Node, no daemon, nothing of PATH. When the rules are refused, what stands in for them is loaded: SSH comes in,
# the agents reach nothing. The kernel parameter seawall=off loads the rescue rules instead.
#   boot.sh            at the start of the machine
#   boot.sh --reload   after somebody flushed the ruleset: only when our table is gone
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
LC_ALL=C
export LC_ALL
umask 022

case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
boot=${SEAWALL_STATE_DIR:-/var/lib/seawall}/boot

say() { printf 'seawall: %s\n' "$*" >&2; }

is_off() {
  [ -e "$boot/off" ] && return 0
  for word in $(cat /proc/cmdline 2>/dev/null); do
    [ "$word" = seawall=off ] && return 0
  done
  return 1
}

# SECURITY: what somebody else than root could have written is not given to the kernel.
is_roots() { [ -n "$(find -L "$1" -maxdepth 0 -type f -user root ! -perm /022 2>/dev/null)" ]; }

# nft names a cgroup by where it is now, so it has to be there; systemd takes it as it finds it.
make_cgroups() {
  sed -n 's/^# cgroup //p' "$1" | while IFS= read -r path; do
    case $path in
      */../* | ../* | */.. | /*) continue ;;
    esac
    mkdir -p "/sys/fs/cgroup/$path"
  done
}

load() {
  [ -e "$1" ] || return 1
  if ! is_roots "$1"; then
    say "$1 is not root's alone, so it is not loaded"
    return 1
  fi
  make_cgroups "$1"
  nft -f "$1"
}

if [ "$1" = --reload ] && nft list tables inet 2>/dev/null | grep -qx 'table inet seawall'; then
  exit 0
fi
if is_off; then
  if [ ! -e "$boot/ruleset.nft" ] && [ ! -e "$boot/off" ]; then exit 0; fi
  nft -f "$here/rescue.nft" || exit 1
  say "switched off: only guards are in force (on again: seawall apply)"
  exit 0
fi
if [ ! -e "$boot/ruleset.nft" ]; then
  exit 0 # Nothing was ever confirmed, or it was taken down.
fi
load "$boot/ruleset.nft" && exit 0
say "the confirmed rules could not be loaded"
if load "$boot/fallback.nft"; then
  say "until 'seawall apply' only SSH comes in and the agents reach nothing"
  exit 1
fi
if nft -f "$here/rescue.nft"; then
  say "only guards are in force"
else
  say "NOTHING IS ENFORCED: is nft there? (apt-get install nftables)"
fi
exit 1
