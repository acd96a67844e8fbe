"""What people do in Salesforce's screens and no REST call can, by name."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.salesforce import admin, automation, deletion, merging
from adapters.sandbox.salesforce.arguments import Arguments, record
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.tables import JsonValue, Row

Action: TypeAlias = Callable[[Call, Arguments], Row]


def undelete(call: Call, arguments: Arguments) -> Row:
    """Bring a record back from the recycle bin, with what its deletion took along."""
    object_type, row = record(call, arguments.text("id"))
    if not row.get("IsDeleted"):
        raise ActionRefusedError(f"{row['Id']} is not deleted")
    deletion.undelete(call, object_type, row)
    return {"id": row["Id"]}


ACTIONS: Mapping[str, Action] = {
    "undelete": undelete,
    "merge_contacts": lambda call, arguments: merging.merge(call, "Contact", arguments),
    "merge_accounts": lambda call, arguments: merging.merge(call, "Account", arguments),
    "convert_lead": merging.convert_lead,
    "create_record_type": admin.create_record_type,
    "deactivate_record_type": admin.deactivate_record_type,
    "delete_record_type": admin.delete_record_type,
    "create_stage": admin.create_stage,
    "rename_stage": admin.rename_stage,
    "deactivate_stage": admin.deactivate_stage,
    "set_permission": admin.set_permission,
    "set_user_active": admin.set_user_active,
    "add_validation_rule": admin.add_validation_rule,
    "remove_validation_rule": lambda call, arguments: admin.remove(
        call, automation.RULE, arguments
    ),
    "add_flow": admin.add_flow,
    "remove_flow": lambda call, arguments: admin.remove(call, automation.FLOW, arguments),
    "make_amount_rollup": admin.make_amount_rollup,
    "set_daily_limit": admin.set_daily_limit,
    "expire_sessions": admin.expire_sessions,
    "register_public_key": admin.register_public_key,
    "enable_multicurrency": admin.enable_multicurrency,
}


def run(call: Call, action: str, arguments: Mapping[str, JsonValue]) -> Row:
    """Do an action.

    Raises:
        ActionRefusedError: unknown action, or Salesforce would not do it; nothing changed.
    """
    found = ACTIONS.get(action)
    if found is None:
        raise ActionRefusedError(
            f"there is no action '{action}'; there are: {', '.join(sorted(ACTIONS))}"
        )
    mark = call.org.store.mark()
    try:
        return found(call, Arguments(action, arguments))
    except RefusedError as error:
        call.org.store.roll_back(mark)
        raise ActionRefusedError(str(error)) from error
    except ActionRefusedError:
        call.org.store.roll_back(mark)
        raise
