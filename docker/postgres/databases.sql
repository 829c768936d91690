-- One database per program, so that none can touch the tables of another by accident.
CREATE DATABASE airflow;
CREATE DATABASE mlflow;
CREATE DATABASE larder;
