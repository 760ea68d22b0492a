#!/bin/bash
# Makes the task manager's user and database when PostgreSQL starts for the first time: an owner of one database instead
# of a superuser. PostgreSQL's image runs it once, in an empty data folder.
set -eu
# The password goes in through standard input, so that it stands on no command line.
{
    printf '\\set password %s\n' "$(cat /run/secrets/database-password)"
    cat <<'SQL'
CREATE ROLE taskmanager LOGIN PASSWORD :'password';
CREATE DATABASE taskmanager OWNER taskmanager;
SQL
} | psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres
