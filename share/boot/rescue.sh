#!/bin/sh
# seawall rescue: the owner's way back. Needs sh and nft alone: no Node, no daemon, no state, no disk.
# Every rule of Seawall goes but the guards (gateway, Docker API, browser debugging, metadata); rules of others stay.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
state=${SEAWALL_STATE_DIR:-/var/lib/seawall}

case $1 in
  '') ;;
  -h | --help)
    echo "usage: seawall rescue"
    echo
    echo "Takes every rule of Seawall out of the kernel but its guards, now and at the next start, until \`seawall apply\`."
    echo "Works without Node, without the daemon, with a full disk and a broken state folder."
    echo
    cat "$here/way-back.txt"
    exit 0
    ;;
  *)
    echo "error: seawall rescue takes no arguments" >&2
    exit 2
    ;;
esac
if [ "$(id -u)" != 0 ]; then
  echo "error: seawall rescue needs root" >&2
  echo "still true: nothing was changed" >&2
  echo "try: sudo seawall rescue" >&2
  exit 5
fi
if ! nft -f "$here/rescue.nft"; then
  echo "error: the kernel did not take the rescue rules" >&2
  # seawalld would put back what was there.
  echo "try: systemctl stop seawalld; nft delete table inet seawall" >&2
  exit 2
fi
echo "rescued: Seawall judges nothing but its guards; what locked you out was another firewall if you are still out"
if mkdir -p "$state/boot" 2>/dev/null && touch "$state/boot/off" 2>/dev/null; then
  echo "the next start keeps it so"
else
  echo "warning: $state cannot be written, so the next start loads the rules again" >&2
  echo "try: add seawall=off to the kernel's command line" >&2
fi
echo "Next: mend the policy, then seawall apply"
