"""A separate process for the fault tests: does one job of the télétransmission and stops at a chosen point.

``python -m tests.edemat.actes.faulty_process JOB FOLDER SPEC`` where SPEC is JSON. The process prints «
reached » when it stands at the point, then sleeps until it is killed or until FOLDER/go exists.
"""

import json
import os
import sys
import time
from pathlib import Path

import django


def stop_here(folder: Path) -> None:
    print("reached", flush=True)
    while not (folder / "go").exists():
        time.sleep(0.02)


def main() -> None:
    job, folder, spec = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    os.environ["DJANGO_SETTINGS_MODULE"] = "parvis.config.settings"
    django.setup()
    from django.conf import settings

    for name, value in spec.get("settings", {}).items():
        setattr(settings, name, value)
    from parvis.edemat.actes.services import reception, transmission

    if job == "send":
        plain = transmission.record_outcome
        if spec["stop"] == "before_recording":
            # The POST has been made and answered; nothing of it is committed yet.
            def pausing(*arguments):
                stop_here(folder)
                plain(*arguments)

            transmission.record_outcome = pausing
        transmission.send_archive(spec["organisation"], spec["transaction"])
    elif job == "read":
        plain_done = reception._done
        if spec["stop"] == "before_commit":
            # The mail has been parsed and applied; its transaction is still open.
            def pausing_done(*arguments):
                plain_done(*arguments)
                stop_here(folder)

            reception._done = pausing_done
        if spec["stop"] == "before_filing":
            # The mail is stored; the mailbox does not know it yet.
            from parvis.edemat.actes.transports.mailbox import ImapMailbox

            plain_file = ImapMailbox.file

            def pausing_file(self, identifier):
                stop_here(folder)
                plain_file(self, identifier)

            ImapMailbox.file = pausing_file
        reception.poll()
    print("finished", flush=True)


if __name__ == "__main__":
    main()
