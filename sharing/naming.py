"""What a share is called: its table in the lake, and the three names that recipients know it by."""

from warehouse.agreements import Agreement

LAYER = "shares"
TERMS = "borderlake.agreement"
"""Key of a commit's information: the agreement whose terms the rows of this and later versions are cut to."""


def share_table(recipient: str, table: str) -> str:
    """The table of the lake that holds what a recipient gets of a table."""
    return f"{LAYER}.{recipient.replace('-', '_')}__{table.replace('.', '_')}"


def terms_of(agreement: Agreement) -> str:
    """What a share's commits say of the agreement that they were cut to."""
    return f"{agreement.agreement_id}@{agreement.version}"
