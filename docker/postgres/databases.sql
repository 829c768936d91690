-- One database per program, so that none can touch the tables of another by accident.
-- `larder` itself is made by the image, as POSTGRES_DB.
CREATE DATABASE airflow;
CREATE DATABASE mlflow;
