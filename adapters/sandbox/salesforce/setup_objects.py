"""What an org is set up with: stages, record types, users, profiles, permissions, custom fields."""

from dataclasses import replace

from adapters.sandbox.salesforce.fields import (
    AUDIT,
    FORECAST_CATEGORIES,
    ID,
    create_only,
    flag,
    number,
    person,
    picklist,
    preset,
    read_only,
    reference,
    required,
    text,
    typed,
)
from adapters.sandbox.salesforce.schema import ChildRelationship, Field, ObjectType

#: what a permission set can allow to a whole user, of the many that there are
SYSTEM_PERMISSIONS = (
    "PermissionsApiEnabled",
    "PermissionsModifyAllData",
    "PermissionsModifyMetadata",
    "PermissionsViewAllData",
    "PermissionsViewSetup",
    "PermissionsCustomizeApplication",
    "PermissionsManageUsers",
)

OPPORTUNITY_STAGE = ObjectType(
    "OpportunityStage",
    "Opportunity Stage",
    "Opportunity Stage",
    "01J",
    (
        ID,
        text("MasterLabel", "Master Label", 255),
        text("ApiName", "API Name", 255),
        flag("IsActive", "Is Active"),
        number("SortOrder", "int", "Sort Order", 9, 0),
        flag("IsClosed", "Closed"),
        flag("IsWon", "Won"),
        picklist("ForecastCategoryName", "Forecast Category Name", FORECAST_CATEGORIES),
        number("DefaultProbability", "percent", "Probability (%)", 3, 0),
        text("Description", "Description", 255),
        *AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

RECORD_TYPE_OBJECT = ObjectType(
    "RecordType",
    "Record Type",
    "Record Types",
    "012",
    (
        ID,
        text("Name", "Name", 80),
        text("DeveloperName", "Record Type Name", 80),
        text("NamespacePrefix", "Namespace Prefix", 15),
        text("Description", "Description", 255),
        picklist("SobjectType", "Object Type Name", ("Account", "Contact", "Opportunity")),
        flag("IsActive", "Active"),
        *AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

USER = ObjectType(
    "User",
    "User",
    "Users",
    "005",
    (
        ID,
        text("Username", "Username", 80, required=True),
        *person(),
        required(typed("Email", "email", "Email", 128)),
        text("Alias", "Alias", 8),
        text("Title", "Title", 80),
        Field("IsActive", "boolean", "Active", nillable=False, defaulted=True, default=True),
        Field(
            "ProfileId",
            "reference",
            "Profile ID",
            length=18,
            defaulted=True,
            refers_to="Profile",
            relationship="Profile",
        ),
        read_only(preset("UserType", "User Type", "Standard")),
        preset("TimeZoneSidKey", "Time Zone", "America/New_York"),
        preset("LocaleSidKey", "Locale", "en_US"),
        preset("LanguageLocaleKey", "Language", "en_US"),
        preset("EmailEncodingKey", "Email Encoding", "UTF-8"),
        *AUDIT[1:],
    ),
    deletable=False,
)

PROFILE = ObjectType(
    "Profile",
    "Profile",
    "Profile",
    "00e",
    (ID, text("Name", "Name", 255), *AUDIT[1:]),
    createable=False,
    updateable=False,
    deletable=False,
)

ORGANIZATION = ObjectType(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    (
        ID,
        text("Name", "Name", 80),
        text("TimeZoneSidKey", "Time Zone", 40),
        text("DefaultLocaleSidKey", "Locale", 40),
        text("LanguageLocaleKey", "Language", 40),
        text("OrganizationType", "Edition", 40),
        text("InstanceName", "Instance Name", 5),
        flag("IsSandbox", "Is Sandbox"),
        text("DefaultCurrencyIsoCode", "Default Currency ISO Code", 3),
        *AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

PERMISSION_SET = ObjectType(
    "PermissionSet",
    "Permission Set",
    "Permission Sets",
    "0PS",
    (
        ID,
        replace(text("Name", "Permission Set Name", 80, required=True), unique=True),
        text("Label", "Permission Set Label", 80, required=True),
        text("Description", "Description", 255),
        read_only(flag("IsOwnedByProfile", "Is Owned By Profile")),
        read_only(reference("ProfileId", "Profile ID", "Profile", "Profile")),
        *(flag(name, name) for name in SYSTEM_PERMISSIONS),
        *AUDIT[1:],
    ),
    children=(
        ChildRelationship("Assignments", "PermissionSetAssignment", "PermissionSetId"),
        ChildRelationship("FieldPerms", "FieldPermissions", "ParentId"),
    ),
)

PERMISSION_SET_ASSIGNMENT = ObjectType(
    "PermissionSetAssignment",
    "Permission Set Assignment",
    "Permission Set Assignments",
    "0Pa",
    (
        ID,
        create_only(
            reference("PermissionSetId", "PermissionSet ID", "PermissionSet", "PermissionSet")
        ),
        create_only(reference("AssigneeId", "Assignee ID", "User", "Assignee")),
        read_only(typed("SystemModstamp", "datetime", "System Modstamp")),
    ),
    updateable=False,
)

FIELD_PERMISSIONS = ObjectType(
    "FieldPermissions",
    "Field Permissions",
    "Field Permissions",
    "01k",
    (
        ID,
        create_only(reference("ParentId", "Parent ID", "PermissionSet", "Parent")),
        required(text("SobjectType", "Sobject Type Name", 40)),
        required(text("Field", "Field Name", 255)),
        flag("PermissionsEdit", "Edit Field"),
        flag("PermissionsRead", "Read Field"),
        read_only(typed("SystemModstamp", "datetime", "System Modstamp")),
    ),
)

USER_PERMISSION_ACCESS = ObjectType(
    "UserPermissionAccess",
    "User Permission Access",
    "User Permission Access",
    "",
    (ID, *(read_only(flag(name, name)) for name in SYSTEM_PERMISSIONS)),
    createable=False,
    updateable=False,
    deletable=False,
)

CUSTOM_FIELD = ObjectType(
    "CustomField",
    "Custom Field",
    "Custom Fields",
    "00N",
    (
        ID,
        text("DeveloperName", "Developer Name", 40),
        text("NamespacePrefix", "Namespace Prefix", 15),
        text("TableEnumOrId", "Table Enum Or ID", 40),
        text("FullName", "Full Name", 255),
        text("ManageableState", "Manageable State", 40),
        *AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
    tooling=True,
)
