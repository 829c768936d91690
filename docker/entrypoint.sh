#!/bin/sh
# Turn the secrets that are mounted as files into what each program reads, in this process's own environment and in a
# file that only its owner reads; nothing of it is on a command line.
set -eu
umask 077

secret() { cat "/run/secrets/$1"; }

if [ -f /run/secrets/postgres_password ]; then
    server="postgresql+psycopg://larder:$(secret postgres_password)@postgres:5432"
    export LARDER_DATABASE_URL="$server/larder"
    export MLFLOW_BACKEND_STORE_URI="$server/mlflow"
    export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="$server/airflow"
    export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC="postgresql+asyncpg://${server#postgresql+psycopg://}/airflow"
fi

if [ -f /run/secrets/spark_secret ]; then
    export SPARK_CONF_DIR="$HOME/spark-conf"
    mkdir -p "$SPARK_CONF_DIR"
    {
        echo "spark.authenticate true"
        echo "spark.authenticate.secret $(secret spark_secret)"
        echo "spark.network.crypto.enabled true"
        echo "spark.master.rest.enabled false"
        # Drivers run beside the Airflow task; executors find them by the container's name.
        echo "spark.driver.host $(hostname)"
        echo "spark.driver.bindAddress 0.0.0.0"
    } >"$SPARK_CONF_DIR/spark-defaults.conf"
fi

exec "$@"
