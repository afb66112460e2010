"""The one core: every use case, by what it is about. The faces translate; here it is decided."""

from __future__ import annotations

from dataclasses import dataclass

from ionbox.service.accounts import Accounts
from ionbox.service.catalog import Catalog
from ionbox.service.events import Events
from ionbox.service.jobs import Jobs
from ionbox.service.sessions import Sessions
from ionbox.service.usage import Usage


@dataclass(frozen=True, slots=True)
class Service:
    """The use cases, a room for each thing they are about."""

    jobs: Jobs
    sessions: Sessions
    catalog: Catalog
    accounts: Accounts
    usage: Usage
    events: Events
