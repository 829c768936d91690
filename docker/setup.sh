#!/usr/bin/env bash
# Build both environments from their locks: .venv (jobs and development) and .venv-airflow. A second call does nothing
# until a lock changes. Wants Debian 12 with Python 3.11, git and make; adds Debian's python3-venv, Java and libgomp1
# where they are missing and it may, else names the package and stops. `setup.sh lock` recompiles the locks instead.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

apt_install() { # package, what it is for
    local run=()
    if [ "$(id -u)" != 0 ]; then
        run=(sudo -n)
        sudo -n true 2>/dev/null || stop "$2 is missing; install Debian's package $1 (apt-get install $1) and call again"
    fi
    command -v apt-get >/dev/null || stop "$2 is missing and this is no Debian; install what Debian calls $1 and call again"
    say "$2 is missing: installing Debian's package $1"
    { "${run[@]}" apt-get update -qq &&
        "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"; } \
        >.cache/apt.log 2>&1 </dev/null || { tail -n 5 .cache/apt.log >&2; stop "could not install $1; see .cache/apt.log"; }
}

java_version() {
    local java=java
    [ -z "${JAVA_HOME:-}" ] || java="$JAVA_HOME/bin/java"
    "$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# pip's settings of this machine hold for uv as well: the index that replaces PyPI, and the system's certificates.
follow_machine_settings() {
    local index certificates=/etc/ssl/certs/ca-certificates.crt
    index=$("$1" -m pip config get global.index-url 2>/dev/null) || index=${PIP_INDEX_URL:-}
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then export UV_DEFAULT_INDEX="$index"; fi
    if [ -z "${SSL_CERT_FILE:-}" ] && [ -f "$certificates" ]; then export SSL_CERT_FILE="$certificates"; fi
    export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-180}" UV_NO_PROGRESS=1
}

# build <folder> <what> <command...>: rebuild <folder> when the fingerprint in $stamp is not the one it was built from.
build() {
    local folder=$1 what=$2
    shift 2
    if [ "$(cat "$folder/.built-from" 2>/dev/null)" = "$stamp" ]; then return; fi
    say "building $folder ($what)"
    rm -f "$folder/.built-from"
    uv venv --quiet --allow-existing --python "$python" "$folder"
    "$@"
    printf '%s\n' "$stamp" >"$folder/.built-from"
    built=yes
}

# Bytecode is made here, once: where Python may write none (PYTHONDONTWRITEBYTECODE, a read-only folder, another user)
# every process would compile TensorFlow anew, 8.5 processor seconds instead of 3.7.
jobs_environment() {
    # pyspark ships as source: its build is the longest step.
    uv pip sync --quiet --compile-bytecode --require-hashes --python .venv/bin/python docker/jobs/requirements.txt docker/jobs/requirements-dev.txt
    uv pip install --quiet --no-deps --python .venv/bin/python --editable .
    class_archive
}

# Fifteen thousand Java classes from jars take every job seconds; from an archive they are mapped. Without one all works.
class_archive() {
    say "archiving Spark's Java classes"
    rm -f .venv/spark.jsa
    SPARK_HOME=$(echo "$PWD"/.venv/lib/python3.*/site-packages/pyspark) PYSPARK_PYTHON=$PWD/.venv/bin/python \
        SPARK_LOCAL_IP=127.0.0.1 .venv/bin/spark-submit --master 'local[2]' --driver-memory 1g \
        --conf spark.ui.enabled=false --conf spark.sql.catalogImplementation=in-memory \
        --conf "spark.driver.extraJavaOptions=$lean_java -XX:ArchiveClassesAtExit=$PWD/.venv/spark.jsa" \
        docker/class_archive.py >.cache/class_archive.log 2>&1 || say "no archive was made (.cache/class_archive.log)"
}
lean_java="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m"

airflow_environment() {
    uv pip sync --quiet --compile-bytecode --require-hashes --python .venv-airflow/bin/python docker/airflow/requirements.txt
}

lock() {
    local folder extra
    (cd docker && uv pip compile "${lock_options[@]}" uv.in -o uv.txt)
    for folder in airflow jobs page; do
        (cd "docker/$folder" && uv pip compile "${lock_options[@]}" requirements.in -o requirements.txt)
    done
    for extra in dev gpu; do
        (cd docker/jobs && uv pip compile "${lock_options[@]}" "requirements-$extra.in" -o "requirements-$extra.txt")
    done
}
lock_options=(--quiet --python-version 3.11 --generate-hashes --custom-compile-command "make lock")

root=$PWD
mkdir -p .cache
python=$(find_python) || stop "Python 3.11 is missing; install Debian's package python3 (Debian 12), or name one: PYTHON=/path/to/python3.11"
"$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv "Python's venv module"

uv() { "$root/.cache/uv/bin/uv" "$@"; }
uv_stamp=$(sha256sum docker/uv.txt)
if [ "$(cat .cache/uv/.built-from 2>/dev/null)" != "$uv_stamp" ]; then
    say "installing uv into .cache/uv"
    "$python" -m venv --clear .cache/uv
    .cache/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docker/uv.txt
    printf '%s\n' "$uv_stamp" >.cache/uv/.built-from
fi
follow_machine_settings .cache/uv/bin/python
if [ "${1:-}" = lock ]; then lock; exit; fi

case "$(java_version 2>/dev/null)" in
    17 | 21) ;;
    "") apt_install openjdk-17-jre-headless "Java 17" ;;
    *) stop "Spark needs Java 17 or 21, found $(java_version); install Debian's package openjdk-17-jre-headless and set JAVA_HOME to it" ;;
esac

[[ $(/sbin/ldconfig -p) == *"libgomp.so.1 "* ]] || apt_install libgomp1 "OpenMP's library, for LightGBM,"

started=$SECONDS built=no
stamp=$(sha256sum docker/jobs/requirements.txt docker/jobs/requirements-dev.txt setup.cfg pyproject.toml | sha256sum)
build .venv "Spark, TensorFlow, MLflow, Great Expectations" jobs_environment
stamp=$(sha256sum docker/airflow/requirements.txt)
build .venv-airflow "Airflow" airflow_environment
if [ "$built" = yes ]; then say "both environments are ready, after $((SECONDS - started)) s"; fi
