#!/usr/bin/env bash
# Backs up one installation: the database, then the files it names. Usage: deploy/backup.sh FOLDER
#
# FOLDER/dumps/<instant>/   one dump of the database per run, with its digest
# FOLDER/documents/         every document, added to and never rewritten
# FOLDER/archives/<n>/      every archive root
#
# The database comes first: a document is stored before the row that names it, so that all the rows of the dump
# find their documents. Keys (PARVIS_SECRETS_DIR) are left out: back them up apart, encrypted.
set -euo pipefail
umask 077
target=${1:?usage: backup.sh FOLDER}
: "${DATABASE_OWNER_URL:?the owner role reads every row}" "${PARVIS_DOCUMENTS_DIR:?}"

# copy_new SOURCE TARGET: files that are missing or older in TARGET, each put in place whole.
copy_new() {
  local source=$1 target=$2 file
  [ -d "$source" ] || return 0
  mkdir -p "$target"
  while IFS= read -r -d '' file; do
    if [ ! -e "$target/$file" ] || [ "$source/$file" -nt "$target/$file" ]; then
      mkdir -p "$target/$(dirname "$file")"
      cp -p "$source/$file" "$target/$file.part"
      mv -f "$target/$file.part" "$target/$file"
    fi
  done < <(cd "$source" && find . -type f ! -name '*.part' -print0)
}

instant=$(date -u +%Y-%m-%dT%H%M%SZ)
partial="$target/dumps/.$instant"
mkdir -p "$partial"
"${PG_DUMP:-pg_dump}" --format=custom --no-owner --file="$partial/parvis.dump" "$DATABASE_OWNER_URL"
(cd "$partial" && sha256sum parvis.dump > SHA256SUMS)
copy_new "$PARVIS_DOCUMENTS_DIR" "$target/documents"
number=0
for root in ${PARVIS_ARCHIVE_ROOTS:-}; do
  number=$((number + 1))
  copy_new "$root" "$target/archives/$number"
done
sync
mv "$partial" "$target/dumps/$instant"
echo "Backup $target/dumps/$instant is complete."
