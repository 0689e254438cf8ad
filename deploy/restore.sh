#!/usr/bin/env bash
# Restores what backup.sh saved into an empty database and empty folders. Usage: deploy/restore.sh FOLDER [INSTANT]
#
# Prepare the roles and the empty database with deploy/roles.sql, stop web and worker, set the environment of the
# installation, then run this. INSTANT names one of FOLDER/dumps; the latest by default.
set -euo pipefail
umask 077
source=${1:?usage: restore.sh FOLDER [INSTANT]}
: "${DATABASE_OWNER_URL:?}" "${PARVIS_DOCUMENTS_DIR:?}"
instant=${2:-$(ls -1 "$source/dumps" | sort | tail -n 1)}
dump="$source/dumps/$instant"
[ -f "$dump/parvis.dump" ] || { echo "There is no complete backup in $dump." >&2; exit 1; }

(cd "$dump" && sha256sum --check --quiet SHA256SUMS)
tables=$("${PSQL:-psql}" -At "$DATABASE_OWNER_URL" -c "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
[ "$tables" = 0 ] || { echo "The database holds $tables tables already: restore into an empty one." >&2; exit 1; }

restore_folder() {
  local from=$1 to=$2
  [ -d "$from" ] || return 0
  mkdir -p "$to"
  if [ -n "$(ls -A "$to")" ]; then echo "$to is not empty: restore into an empty folder." >&2; exit 1; fi
  cp -a "$from/." "$to/"
}

restore_folder "$source/documents" "$PARVIS_DOCUMENTS_DIR"
number=0
for root in ${PARVIS_ARCHIVE_ROOTS:-}; do
  number=$((number + 1))
  restore_folder "$source/archives/$number" "$root"
done
"${PG_RESTORE:-pg_restore}" --exit-on-error --no-owner --single-transaction --dbname="$DATABASE_OWNER_URL" "$dump/parvis.dump"
echo "Restored $instant. Before opening, export and verify each journal (docs/operations.md)."
