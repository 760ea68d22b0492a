#!/bin/sh
# Installs Debian packages without letting their services start, now or at the next boot.
#
#   sudo sh install-packages.sh PACKAGE...
#
# While apt works, /usr/sbin/policy-rc.d answers 101 (not allowed) to every start.
# What stood there before is put back, also by the next run where this one was killed.
# Services that ran before go on; whatever started all the same is ended.
set -eu

policy=/usr/sbin/policy-rc.d
saved=$policy.taskmanager-saved
mark='# temporary, made by taskmanager'

put_policy_back() {
    if [ -f "$policy" ] && grep -q "^$mark" "$policy"; then
        rm -f "$policy"
    fi
    if [ -e "$saved" ] && [ ! -e "$policy" ]; then
        mv "$saved" "$policy"
    fi
}

# The unit files that start at boot, one a line.
enabled_units() {
    if command -v systemctl >/dev/null; then
        systemctl list-unit-files --state=enabled --no-legend 2>/dev/null | awk '{ print $1 }' | sort
    fi
}

# The services that run under systemd, one a line.
running_units() {
    if [ -d /run/systemd/system ]; then
        systemctl list-units --type=service,socket --state=active --plain --no-legend | awk '{ print $1 }' | sort
    fi
}

# The process ids of the servers' daemons, one a line. A private server is its launcher's child, a daemon is init's.
daemons() {
    for status in /proc/[0-9]*/status; do
        awk '
            $1 == "Name:" { name = $2 }
            $1 == "Pid:" { pid = $2 }
            $1 == "PPid:" && $2 == 1 && name ~ /^(epmd|postgres|beam\.smp|prometheus)$/ { print pid }
        ' "$status" 2>/dev/null || true
    done | sort
}

# What stands in the second list and not in the first.
added() {
    printf '%s\n' "$2" | while read -r entry; do
        if [ -n "$entry" ] && ! printf '%s\n' "$1" | grep -qxF "$entry"; then
            echo "$entry"
        fi
    done
}

if [ "$(id -u)" -ne 0 ]; then
    echo "install-packages.sh has to run as root" >&2
    exit 77
fi

# One at a time: two would put back each other's policy.
exec 9>/run/taskmanager-packages.lock
flock 9

put_policy_back
trap put_policy_back EXIT
trap 'exit 143' INT TERM HUP
enabled_before=$(enabled_units)
running_before=$(running_units)
daemons_before=$(daemons)

if [ -e "$policy" ]; then
    mv "$policy" "$saved"
fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
install_packages() {
    apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends -- "$@" 9>&-
}
# Lists that are missing or old make the first try fail.
if ! install_packages "$@"; then
    apt-get -q -o DPkg::Lock::Timeout=300 update 9>&-
    install_packages "$@"
fi

added "$enabled_before" "$(enabled_units)" | while read -r unit; do
    case $unit in
    *postgres* | *rabbitmq* | *epmd* | *prometheus*)
        echo "not started at boot: $unit"
        systemctl --quiet disable "$unit"
        ;;
    esac
done
added "$running_before" "$(running_units)" | while read -r unit; do
    case $unit in
    *postgres* | *rabbitmq* | *epmd* | *prometheus*)
        echo "stopped: $unit"
        systemctl stop "$unit"
        ;;
    esac
done
added "$daemons_before" "$(daemons)" | while read -r pid; do
    echo "ended: process $pid"
    kill "$pid" 2>/dev/null || true
done
