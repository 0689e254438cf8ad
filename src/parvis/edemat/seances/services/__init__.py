"""Use cases of meetings: one function, one transaction, one journal entry. All take an Actor and keyword
arguments."""

from parvis.edemat.seances.services.agenda import (
    add_annexe,
    add_point,
    change_point,
    change_seance,
    plan_seance,
    reorder_points,
    sending_limit,
)
from parvis.edemat.seances.services.bodies import change_organe, change_regime, create_organe
from parvis.edemat.seances.services.convening import (
    acknowledge_receipt,
    convoke,
    delay_today,
    record_handed_on_paper,
    resend,
)
from parvis.edemat.seances.services.deliberations import STEP_CODES, establish, send_to_signature
from parvis.edemat.seances.services.evidence import ask_missing_tokens, read_evidence
from parvis.edemat.seances.services.sitting import (
    change_officers,
    composition,
    give_power,
    open_meeting,
    postpone,
    quorum_at,
    record_arrival,
    record_departure,
    record_presence_sheet,
    record_unanimity,
    record_vote,
    record_withdrawal,
    revoke_power,
    rise,
    vote_urgency,
)
from parvis.edemat.seances.services.tableau import (
    accounts_of,
    add_elu,
    change_elu,
    end_term,
    link_accounts,
    replace_elu,
)
from parvis.edemat.seances.services.tableau_import import examine_tableau, import_tableau

__all__ = [
    "STEP_CODES",
    "accounts_of",
    "acknowledge_receipt",
    "add_annexe",
    "add_elu",
    "add_point",
    "ask_missing_tokens",
    "change_elu",
    "change_officers",
    "change_organe",
    "change_point",
    "change_regime",
    "change_seance",
    "composition",
    "convoke",
    "create_organe",
    "delay_today",
    "end_term",
    "establish",
    "examine_tableau",
    "give_power",
    "import_tableau",
    "link_accounts",
    "open_meeting",
    "plan_seance",
    "postpone",
    "quorum_at",
    "read_evidence",
    "record_arrival",
    "record_departure",
    "record_handed_on_paper",
    "record_presence_sheet",
    "record_unanimity",
    "record_vote",
    "record_withdrawal",
    "reorder_points",
    "replace_elu",
    "resend",
    "revoke_power",
    "rise",
    "send_to_signature",
    "sending_limit",
    "vote_urgency",
]
