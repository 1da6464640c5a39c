#!/usr/bin/env bash
# Runs a command in an image's file tree like `docker run --read-only`: as process 1 of new namespaces, with a
# read-only root, one writable volume, only the loopback network, and no capabilities.
#
#   image-sandbox.sh ROOT VOLUME STATE UID:GID COMMAND...
#
# The directory STATE is mounted on the path VOLUME. Needs root. Exits with the command's code.
set -euo pipefail

if [[ ${1:-} != --inside ]]; then
  exec unshare --mount --pid --net --ipc --uts --fork --kill-child -- "$0" --inside "$@"
fi
shift
root=$1 volume=$2 state=$3 user=$4
shift 4

ip link set lo up
mount --bind "$root" "$root"
mount --bind "$state" "$root$volume"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o nosuid,noexec,mode=755 dev "$root/dev"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,bind,ro "$root"
# The death signal ends the container with this script. A change of user resets it, so it is set afterwards.
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --no-new-privs \
  --pdeathsig=KILL "$@"
