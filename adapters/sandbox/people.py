"""The salespeople of both sandboxes: one list, so that users and owners match by name and e-mail.

Users and owners cannot be made by REST in both CRMs, so each box takes its share of this list when
it is seeded. A few are known to one CRM only, as in any company.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Salesperson:
    """One member of the sales team."""

    first_name: str
    last_name: str
    title: str
    #: whether there is a Salesforce user
    in_salesforce: bool = True
    #: whether there is a HubSpot owner
    in_hubspot: bool = True

    @property
    def email(self) -> str:
        """Return the e-mail, which is the Salesforce user name too."""
        return f"{self.first_name}.{self.last_name}@sandbox.example".lower()


SALESPEOPLE = (
    Salesperson("Amara", "Okafor", "VP Sales"),
    Salesperson("Jonas", "Lindqvist", "Account Executive"),
    Salesperson("Priya", "Raman", "Account Executive"),
    Salesperson("Mateo", "Ferreira", "Account Executive"),
    Salesperson("Hana", "Kobayashi", "Senior Account Executive"),
    Salesperson("Declan", "Byrne", "Account Executive"),
    Salesperson("Leila", "Haddad", "Senior Account Executive"),
    Salesperson("Tomasz", "Wilk", "Customer Success Manager"),
    Salesperson("Grace", "Mbeki", "Sales Development"),
    Salesperson("Owen", "Tremblay", "Sales Engineer", in_hubspot=False),
    Salesperson("Sofia", "Marchetti", "Channel Manager", in_hubspot=False),
    Salesperson("Noor", "Aziz", "Marketing", in_salesforce=False),
)
