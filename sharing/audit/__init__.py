"""The audit log: what was told, issued and served to whom, under which agreement, and what was refused."""

from sharing.audit.faults import Fault, Finding
from sharing.audit.lines import Action, Entry, Line
from sharing.audit.log import ANCHOR_NAME, AuditDamaged, AuditLog

__all__ = ["ANCHOR_NAME", "Action", "AuditDamaged", "AuditLog", "Entry", "Fault", "Finding", "Line"]
