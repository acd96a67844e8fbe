"""The sync rules: one behaviour, one module; `RuleId` names each sentence of the specification.

Every event, write and audit line cites the rule that made it. The sections follow the
specification: switches and entry, counterparts, pipelines and stages, fields, contacts, deletion,
and the promises that the engine keeps around them.
"""

from enum import StrEnum


class RuleId(StrEnum):
    """The name of one rule; users meet it in `why`, in the audit log and in the README."""

    DEAL_SYNC_SWITCH = "deal-sync-switch"
    ENABLE_BEFORE_IMPORT = "enable-before-import"
    ENTRY_SALESFORCE = "entry-salesforce"
    ENTRY_HUBSPOT = "entry-hubspot"
    TRIGGER_FIELDS = "trigger-fields"
    IMPORT = "import"
    SYNC_NOW = "sync-now"
    COMPANY_SYNC = "company-sync"
    COMPANY_SYNC_ORDER = "company-sync-order"
    PERMISSION = "permission"
    OTHER_CONNECTOR = "other-connector"
    SUSPEND = "suspend"

    LINK_IDS = "link-ids"
    ADOPT = "adopt"
    COPIED_LINK = "copied-link"
    NO_MATCHING = "no-matching"
    CONTACT_IDENTITY = "contact-identity"
    ACCOUNT_IDENTITY = "account-identity"
    ONCE_PAIRED = "once-paired"

    RECORD_TYPE_PIPELINE = "record-type-pipeline"
    PIPELINE_LIMIT = "pipeline-limit"
    RECORD_TYPE_GONE = "record-type-gone"
    STAGE_MAP = "stage-map"
    PIPELINE_MOVE = "pipeline-move"
    PIPELINE_SCOPE = "pipeline-scope"

    FIELD_RULE = "field-rule"
    BLANK = "blank"
    CANONICAL = "canonical"
    VALUE_MAP = "value-map"
    NO_RETROACTIVE = "no-retroactive"
    OWNER = "owner"
    CREATED_WITH = "created-with"
    REQUIRED = "required"
    NUMBER_ONLY = "number-only"
    CLOSE_DATE_REWRITE = "close-date-rewrite"
    NOT_TAKEN = "not-taken"
    PARTIAL_REJECT = "partial-reject"
    WHO_WINS = "who-wins"
    VALUE_TIME = "value-time"

    CONTACT_ROLE = "contact-role"
    CONTACT_PENDING = "contact-pending"
    CONTACT_MANY = "contact-many"
    CONTACT_REMOVAL = "contact-removal"
    CONTACT_ROLLUP = "contact-rollup"
    ROLLUP_TARGET = "rollup-target"
    LIFECYCLE = "lifecycle"

    DELETE_DOWN = "delete-down"
    DELETE_NEVER_UP = "delete-never-up"
    TOMBSTONE = "tombstone"
    CREATE_RACE = "create-race"
    UNDELETE = "undelete"
    MERGE = "merge"
    DELETE_FUSE = "delete-fuse"

    ECHO = "echo"
    ONCE = "once"
    ORDER = "order"
    EXPLAIN = "explain"
    NOTHING_LOST = "nothing-lost"
    REPLAY_SILENT = "replay-silent"
    GAP = "gap"
    POLICY_CHANGE = "policy-change"
    BUDGET = "budget"
    RECORD_STATUS = "record-status"
