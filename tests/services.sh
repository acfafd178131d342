# Sourced before the tests: finds or starts the real parts that they talk to, and says what is missing. Nothing is skipped.
#   redis-server       which the tests start and stop themselves
#   TEST_POSTGRES_URL  a PostgreSQL where databases may be made and dropped
#   TEST_CHROMIUM      a chromium for the pages
have() { command -v "$1" >/dev/null 2>&1; }
install() {
    have "$2" && return
    if have apt-get && [ "$(id -u)" = 0 ]; then
        echo "installing $1…" >&2
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$1"; } >&2 || exit 1
    else
        echo "the tests need $1: install it (Debian: sudo apt-get install $1)" >&2
        exit 1
    fi
}

install chromium chromium
install redis-server redis-server
install faketime faketime
install openssl openssl
[ -n "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || install postgresql initdb
fc-list 2>/dev/null | grep -qi emoji || (install fonts-noto-color-emoji emoji) || echo "without an emoji font, only the pictures suffer" >&2
export TEST_CHROMIUM="${TEST_CHROMIUM:-$(command -v chromium)}"

if [ -z "$TEST_POSTGRES_URL" ]; then
    TEST_POSTGRES_URL=postgresql://postgres@127.0.0.1:5432/postgres
    if ! { have pg_isready && pg_isready -q -h 127.0.0.1 -p 5432 && psql -qw "$TEST_POSTGRES_URL" -c 'SELECT 1' >/dev/null 2>&1; }; then
        install postgresql pg_ctlcluster
        home=$(mktemp -d /tmp/mostrador-postgres.XXXXXX)
        tools=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | tail -1)")
        as=""
        [ "$(id -u)" = 0 ] && chown postgres "$home" && as="runuser -u postgres --"
        (cd / && $as "$tools/initdb" -D "$home/data" -U postgres --auth=trust >/dev/null &&
            $as "$tools/pg_ctl" -D "$home/data" -w -o "-p 54329 -c listen_addresses=127.0.0.1 -k $home" -l "$home/log" start >/dev/null) || exit 1
        trap '(cd / && $as "$tools/pg_ctl" -D "$home/data" -m immediate stop >/dev/null; rm -rf "$home")' EXIT
        TEST_POSTGRES_URL=postgresql://postgres@127.0.0.1:54329/postgres
    fi
fi
export TEST_POSTGRES_URL
if [ -z "$MOSTRADOR_SAMPLES" ] && [ -d ../shared/samples ]; then
    export MOSTRADOR_SAMPLES="$PWD/../shared/samples"
fi
