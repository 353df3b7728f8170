#!/bin/sh
# A Mosquitto for a site: certificates, users, access rights, settings, owned by Mosquitto's user.
#   deploy/mosquitto/setup.sh /etc/mosquitto/lightsout sites/jd_small broker.hall.example
set -eu
if [ $# -lt 2 ]; then
  echo "usage: $0 DIR SITE [HOST]    HOST: the name or address that clients use" >&2
  exit 2
fi
folder=$1 site=$2 host=${3:-localhost}
lightsout broker init "$folder" --site "$site" --host "$host"
if [ "$(id -u)" = 0 ] && id mosquitto >/dev/null 2>&1; then
  chown -R mosquitto: "$folder" # started as root, Mosquitto reads its files as this user
fi
