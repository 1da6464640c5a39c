#!/usr/bin/env bash
# Runs a command in an image's tree as `docker run --read-only` would: process 1 of namespaces of its own, the root
# read-only, one writable volume, a network with nothing but loopback, no capabilities.
#
#   image-sandbox.sh ROOT VOLUME STATE UID:GID COMMAND...
#
# VOLUME is the path inside that the directory STATE is mounted on. Needs root. Ends as the command does.
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
# The death signal, which ends the container with this script, has to be set again after the change of user.
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --no-new-privs \
  --pdeathsig=KILL "$@"
