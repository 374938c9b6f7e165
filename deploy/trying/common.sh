# What both parts of deploy/try use.

SITE=verify.test
PYTHON=.venv/bin/python

fail() {
    echo "deploy/try: $*" >&2
    exit 1
}

# timed NAME COMMAND...: run it, say how long it took; show what it wrote where it fails. In the
# background, because `set -e` does not hold in a command before `||`.
timed() {
    local name=$1 began=$SECONDS
    shift
    "$@" >"$work/step.log" 2>&1 &
    wait $! || {
        tail -n 60 "$work/step.log" | sed 's|^|   > |' >&2
        fail "failed: $name"
    }
    printf '== %-46s %3d s\n' "$name" $((SECONDS - began))
}

# The wheels of requirements.txt for the Python of the fresh Debian. Both parts install from them,
# so a run needs the package index once, and no trust in it inside.
make_wheels() {
    cmp -s requirements.txt "$cache/wheels/requirements.txt" && return
    rm -rf "$cache/wheels"
    $PYTHON -m pip wheel --quiet --wheel-dir "$cache/wheels" --requirement requirements.txt
    cp requirements.txt "$cache/wheels/"
}

# Debian as its installer leaves it, and Python. From the mirror that this machine uses.
make_base() {
    local codename mirror
    [ -s "$cache/base.tar" ] && return
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME) $(LABEL)' 'Created-By: Packages' |
        awk -v codename="$codename" '$2 == codename && $3 == "Debian" { print $1; exit }')
    [ -n "$mirror" ] || fail "apt knows no mirror of $codename"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3-venv,systemd-sysv,dbus \
        "$codename" "$work/base.tar" "deb $mirror $codename main"
    mv "$work/base.tar" "$cache/base.tar"
}

# Pip without an index, in the fresh Debian and in the build of the image.
pip_settings() {
    printf '[global]\nno-index = true\nfind-links = /wheels\n'
}

# block NAME: the commands of docs/deploy.md that stand under <!-- tried: NAME -->.
block() {
    awk -v mark="<!-- tried: $1 -->" '
        $0 == mark { found = 1; next }
        found && /^```/ { if (inside) exit; inside = 1; next }
        inside { print }
        END { if (!inside) exit 1 }' docs/deploy.md || fail "docs/deploy.md has no block $1"
}

# expect STATUS CURL-ARGUMENTS...: what a request is answered.
expect() {
    local wanted=$1 status
    shift
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 10 "$@") || true
    [ "$status" = "$wanted" ] || fail "$* was answered $status, not $wanted"
}

# check_proxy CERTIFICATE FUNCTION-KEY: what must hold behind any proxy, besides a verification.
check_proxy() {
    expect 200 --cacert "$1" "https://$SITE/healthz"
    expect 401 --cacert "$1" --json '"+14255550123"' "https://$SITE/orchestrators/E4_SmsPhoneVerification"
    expect 403 --cacert "$1" --data "From=%2B14255550123&Body=1234" "https://$SITE/twilio/sms"
    head --bytes 70000 /dev/zero |
        expect 413 --cacert "$1" --header "x-functions-key: $2" --data-binary @- \
            "https://$SITE/orchestrators/E4_SmsPhoneVerification"
}

# wait_for COMMAND...: until it succeeds, for a minute at most.
wait_for() {
    for _ in $(seq 300); do
        if "$@"; then return; fi
        sleep 0.2
    done
    fail "a minute went by before this succeeded: $*"
}

# Debian's Caddy, unpacked and not installed: nothing of this machine is set up.
get_caddy() {
    [ -x "$cache/caddy/usr/bin/caddy" ] && return
    mkdir -p "$cache/caddy"
    (cd "$work" && apt-get download -qq caddy && dpkg-deb --extract caddy_*.deb "$cache/caddy")
}

# A long random text, as docs/deploy.md makes them.
random_key() {
    python3 -c 'import secrets; print(secrets.token_hex(32))'
}
