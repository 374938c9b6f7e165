#!/usr/bin/env bash
# The part of deploy/try that builds the image and runs it. It has a network, a process tree and
# mounts of its own, and nothing in it reaches out: the wheels and the base are there.
set -euo pipefail
. deploy/trying/common.sh

IMAGE=localhost/textback
CA=$work/caddy/caddy/pki/authorities/local/root.crt

main() {
    ip link set lo up
    name_the_site
    export STORAGE_DRIVER
    STORAGE_DRIVER=$(storage_driver)
    timed "image: base ($STORAGE_DRIVER)" import_base
    timed "image: build" build
    timed "image: what is in it" check_image
    write_settings
    timed "image: start behind Caddy" start
    timed "image: health check" check_health
    timed "image: a verification over https" verify
    timed "image: limits of the proxy" check_proxy "$CA" "$(setting FUNCTION_KEY)"
    timed "image: stop and start again" check_restart
    timed "compose: settings" write_compose_settings
    timed "compose: PostgreSQL, web, dispatch" start_compose
    timed "compose: a verification over https" verify
}

name_the_site() {
    echo "127.0.0.1 localhost $SITE" >"$work/hosts"
    mount --bind "$work/hosts" /etc/hosts
}

# overlay is faster, but does not work where the folder is on an overlay itself.
storage_driver() {
    if in_store --storage-driver overlay info >/dev/null 2>&1; then echo overlay; else echo vfs; fi
    rm -rf "$work/store"
}

in_store() {
    buildah --root "$work/store" --runroot "$work/store-run" "$@"
}

import_base() {
    local container
    container=$(in_store from scratch)
    in_store add --quiet "$container" "$cache/base.tar" /
    in_store commit --quiet --rm "$container" base
}

# By the form of Docker, since that of OCI has no health check.
build() {
    pip_settings >"$work/pip.conf"
    in_store build --isolation chroot --format docker --layers=false --network host \
        --build-arg BASE=localhost/base --file deploy/Dockerfile --tag $IMAGE \
        --volume "$cache/wheels:/wheels:ro" --volume "$work/pip.conf:/etc/pip.conf:ro" .
}

# of_image FIELD: a list of the image's configuration, a word a line.
of_image() {
    in_store inspect --type image $IMAGE | python3 -c '
import json, sys
config = json.load(sys.stdin)["Docker"]["config"]
print(*eval(sys.argv[1], config), sep="\n")' "$1"
}

check_image() {
    in_store from $IMAGE >"$work/container"
    in_container id -u | grep -qx 10001 || fail "it does not run as 10001"
    in_container sh -c 'ls /app' | sort >"$work/files"
    printf '%s\n' bot gunicorn.conf.py requirements.txt schema.sql wsgi.py |
        cmp - "$work/files" || fail "other files than these are in /app"
    [ "$(of_image Volumes)" = /data ] || fail "its volume is not /data"
}

# in_container COMMAND...: with the settings there are by then, and the volume.
in_container() {
    local settings=()
    [ ! -f "$work/settings" ] || mapfile -t settings < <(sed 's/^/--env=/' "$work/settings")
    mkdir -p "$work/data"
    chown 10001:10001 "$work/data"
    in_store run --isolation chroot --network host --volume "$work/data:/data" "${settings[@]}" \
        "$(<"$work/container")" -- "$@"
}

write_settings() {
    cat >"$work/settings" <<END
PUBLIC_BASE_URL=https://$SITE
TWILIO_API_BASE_URL=http://127.0.0.1:8001
TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000
TWILIO_AUTH_TOKEN=$(random_key)
TWILIO_PHONE_NUMBER=+14255550100
SECRET_KEY=$(random_key)
FUNCTION_KEY=$(random_key)
SYSTEM_KEY=$(random_key)
CONNECTIONS_PER_ADDRESS=0
END
}

setting() {
    sed -n "s/^$1=//p" "$work/settings"
}

start() {
    SITE=$SITE LOCAL_CERTS=$'local_certs\nskip_install_trust' XDG_DATA_HOME=$work/caddy \
        "$cache/caddy/usr/bin/caddy" run --config deploy/Caddyfile >"$work/caddy.log" 2>&1 &
    start_web
    wait_for [ -s "$CA" ]
}

start_web() {
    local command
    mapfile -t command < <(of_image Cmd)
    in_container "${command[@]}" >"$work/web.log" 2>&1 &
    echo $! >"$work/web.pid"
    wait_for_web
}

wait_for_web() {
    curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:8000/healthz || {
        cat "$work/caddy.log" "$work/web.log"
        fail "the container does not answer"
    }
}

stop_web() {
    kill -TERM "$(web_process)"
    wait_for_end "$(<"$work/web.pid")"
}

check_health() {
    local command
    mapfile -t command < <(of_image 'Healthcheck["Test"]')
    [ "${command[0]}" = CMD ] || fail "its health check needs a shell"
    in_container "${command[@]:1}"
    ! in_container env PORT=8009 "${command[@]:1}" || fail "its health check always passes"
}

verify() {
    env $(<"$work/settings") $PYTHON -m simulator.trial --ca "$CA"
}

# SIGTERM ends it within the 30 s that the README names; the volume keeps what was verified.
check_restart() {
    local began=$SECONDS
    stop_web
    [ $((SECONDS - began)) -le 30 ] || fail "it took longer than 30 s to stop"
    start_web
    in_container flask list --status approved | tee "$work/list"
    grep -q approved "$work/list" || fail "the verification is gone"
}

# gunicorn's first process: the oldest of the user of the image.
web_process() {
    pgrep --oldest --uid 10001
}

wait_for_end() {
    wait_for has_ended "$1"
}

has_ended() {
    ! kill -0 "$1" 2>/dev/null || [ "$(ps -o state= -p "$1")" = Z ]
}

# By the page's commands, in a folder that is laid out like the project.
write_compose_settings() {
    mkdir -p "$work/project/deploy"
    cp .env.example "$work/project/"
    block "compose settings" >"$work/compose-settings.sh"
    (cd "$work/project" && SITE=$SITE bash -euxo pipefail "$work/compose-settings.sh")
    [ "$(stat --format %a "$work/project/deploy/.env")" = 600 ] || fail "others may read the settings"
}

# `web` and `dispatch` as compose.yaml has them, in two processes of one container. PostgreSQL is
# the one of the tests.
start_compose() {
    local database command
    stop_web
    start_postgres
    database=$(<"$work/postgres.url")
    mv "$work/settings" "$work/trial-settings"
    {
        $PYTHON deploy/trying/compose.py web settings "$work/project/deploy/.env" |
            sed "s|^DATABASE_URL=.*@postgres/textback$|DATABASE_URL=$database|"
        grep '^TWILIO_' "$work/trial-settings"
    } >"$work/settings"
    grep -qx "DATABASE_URL=$database" "$work/settings" || fail "the database has another address"
    for service in web dispatch; do
        mapfile -t command < <($PYTHON deploy/trying/compose.py $service command)
        in_container "${command[@]}" >"$work/$service.log" 2>&1 &
    done
    wait_for_web
    wait_for grep -q "The dispatcher is running" "$work/dispatch.log"
}

start_postgres() {
    $PYTHON - >"$work/postgres.url" <<'END' &
import signal
from tests import postgres

server = postgres.Server()
print(server.new_database(), flush=True)
signal.pause()
END
    wait_for [ -s "$work/postgres.url" ]
}

main "$@"
