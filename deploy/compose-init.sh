#!/bin/sh
# Run once by the PostgreSQL image: creates the roles and the database.
set -eu
psql --username postgres -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" -f /parvis/roles.sql
