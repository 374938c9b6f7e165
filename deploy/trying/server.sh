# The part of deploy/try that boots a fresh Debian under systemd and walks docs/deploy.md in it.
# Services in it have a network of their own; only commands that install reach out.

try_server() {
    REPOSITORY=file:///repository
    VERSION=v$(sed -n 's/^__version__ = "\(.*\)"/\1/p' bot/__init__.py)
    tree=$work/debian
    CA=/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt
    timed "server: unpack" unpack
    timed "server: boot" boot

    timed "server: install" installing "server install"
    timed "server: units are sound" check_units
    timed "server: settings" walk "server settings"
    timed "server: settings of the trial" walk "trial settings"
    timed "server: start" walk "server start"
    timed "server: Caddy" walk "server caddy"
    timed "server: Caddy's own authority" walk "trial certificate"
    timed "server: a verification over https" walk "trial verify"
    timed "server: limits of the proxy" walk_check_proxy "$CA"
    timed "server: nothing but its folder is written" check_hardening

    timed "server: dispatch apart" walk "server dispatch"
    timed "server: a verification over https" walk "trial verify"
    timed "server: back up" walk "server backup"
    timed "server: restore" walk "server restore"
    timed "server: upgrade" upgrade
    timed "server: a verification over https" walk "trial verify"

    timed "nginx: install" installing "nginx install"
    timed "nginx: certificate of the trial" make_certificate
    timed "nginx: start" walk "nginx start"
    CA=/etc/letsencrypt/live/$SITE/fullchain.pem
    timed "nginx: a verification over https" walk "trial verify"
    timed "nginx: limits of the proxy" walk_check_proxy "$CA"
    timed "server: stop" check_stop
    stop_server
}

unpack() {
    mkdir "$tree"
    tar --extract --file "$cache/base.tar" --directory "$tree"
    pip_settings >"$tree/etc/pip.conf"
    echo textback-trial >"$tree/etc/hostname"
    echo "127.0.0.1 localhost textback-trial" >"$tree/etc/hosts"
    make_repository
}

# A repository with the present state under the tag of its version, and a next version.
make_repository() {
    git clone --quiet --bare . "$work/repository"
    git -C "$work/repository" tag --force "$VERSION" HEAD
    git -C "$work/repository" -c user.name=trial -c user.email=trial@example.com \
        tag --force --message "The next version" v99.0.0 HEAD
}

boot() {
    local unit=()
    if [ ! -d /run/systemd/system ]; then
        # Without a systemd on this machine none gives it a control group of its own.
        unit=(--keep-unit)
        control_groups | xargs mkdir
    fi
    (
        if [ ${#unit[@]} -gt 0 ]; then
            for group in $(control_groups); do echo "$BASHPID" >"$group/cgroup.procs"; done
        fi
        exec systemd-nspawn --quiet --boot --directory "$tree" --private-network --register=no \
            "${unit[@]}" --link-journal=no --resolv-conf=copy-host --console=pipe \
            --bind-ro="$cache/wheels:/wheels" --bind-ro="$work/repository:/repository" \
            </dev/null >"$work/console.log" 2>&1
    ) &
    echo $! >"$work/nspawn.pid"
    for _ in $(seq 100); do
        sleep 0.2
        if inside systemctl is-system-running --wait 2>/dev/null; then return; fi
    done
    cat "$work/console.log"
    fail "systemd does not come up: $(inside systemctl --failed --no-legend)"
}

# The group of this run in each hierarchy that systemd uses: there is one, or two where both
# versions of control groups are mounted.
control_groups() {
    local folder
    for folder in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
        [ ! -f $folder/cgroup.procs ] || echo "$folder/${work##*/}"
    done
}

# in_tree NAMESPACES COMMAND...: run a command in the booted Debian.
in_tree() {
    local init namespaces=$1
    shift
    init=$(pgrep --parent "$(<"$work/nspawn.pid")") || return
    # shellcheck disable=SC2086
    nsenter --target "$init" $namespaces --root --wd -- env --ignore-environment \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive SITE="$SITE" VERSION="$VERSION" REPOSITORY="$REPOSITORY" \
        CA="$CA" ${http_proxy:+http_proxy="$http_proxy"} "$@"
}

inside() {
    in_tree "--mount --uts --ipc --pid --cgroup --net" "$@"
}

# walk BLOCK: the commands of the page, in a shell of the booted Debian.
walk() {
    block "$1" | inside bash -euxo pipefail -s
}

# The same with this machine's network, to get packages.
installing() {
    block "$1" | in_tree "--mount --uts --ipc --pid --cgroup" bash -euxo pipefail -s
}

check_units() {
    inside bash -euxo pipefail -s <<'END'
cd /opt/textback/deploy/systemd
systemd-analyze verify --recursive-errors=no ./*.service ./*.timer
for unit in ./*.service; do systemd-analyze security --offline=yes --threshold=20 --no-pager "$unit"; done
END
}

# The same requests as at the image, sent inside.
walk_check_proxy() {
    local key
    key=$(inside sed -n 's/^FUNCTION_KEY=//p' /opt/textback/.env)
    {
        declare -f fail expect check_proxy
        printf 'check_proxy %q %q\n' "$1" "$key"
    } | inside bash -euo pipefail -s
}

check_hardening() {
    local found
    found=$(inside systemctl show textback-web --property=MainPID --value)
    found=$(inside stat --format %U "/proc/$found")
    [ "$found" = textback ] || fail "it runs as $found"
    found=$(inside stat --format %a /var/lib/textback/textback.db)
    [ "$found" = 600 ] || fail "the database has mode $found"
    found=$(inside stat --format '%U %G %a' /opt/textback/.env)
    [ "$found" = "root textback 640" ] || fail "the settings are of $found"
    ! inside find /opt/textback/bot /opt/textback/deploy -user textback | grep . || fail "it writes into its code"
}

upgrade() {
    VERSION=v99.0.0
    installing "server upgrade"
}

# For nginx the page has the paths of certbot, which needs a public name; here a certificate is made.
make_certificate() {
    inside bash -euc 'mkdir -p "/etc/letsencrypt/live/$SITE" && cd "/etc/letsencrypt/live/$SITE" &&
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$SITE" \
            -addext "subjectAltName=DNS:$SITE" -keyout privkey.pem -out fullchain.pem'
}

check_stop() {
    local began=$SECONDS
    inside systemctl stop textback-web
    [ $((SECONDS - began)) -le 30 ] || fail "it took longer than 30 s to stop"
    for unit in textback-web textback-dispatch; do
        [ "$(inside systemctl show $unit --property=Result --value)" = success ] ||
            fail "$unit ended otherwise: $(inside journalctl --no-pager --unit $unit --lines 30)"
    done
}

# SIGTERM asks the init process to power off.
stop_server() {
    local pid
    [ -f "$work/nspawn.pid" ] || return 0
    pid=$(<"$work/nspawn.pid")
    kill -TERM "$pid" 2>/dev/null
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -KILL "$pid" 2>/dev/null; then sleep 1; fi
    rm "$work/nspawn.pid"
    for group in $(control_groups); do
        [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
    done
}
