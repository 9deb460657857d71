"""What flows through the graph: requests, the elements of their streams, and results."""

from transforms.model.request import AM_SETTLED as AM_SETTLED
from transforms.model.request import GreeksRequest as GreeksRequest
from transforms.model.request import Key as Key
from transforms.model.request import checked_symbol as checked_symbol
from transforms.model.request import key_of as key_of
from transforms.model.request import named as named
from transforms.model.request import served_dates as served_dates
from transforms.model.result import EMPTY as EMPTY
from transforms.model.result import FAILED as FAILED
from transforms.model.result import INTERRUPTED as INTERRUPTED
from transforms.model.result import SKIPPED as SKIPPED
from transforms.model.result import STATUSES as STATUSES
from transforms.model.result import WITHDRAWN as WITHDRAWN
from transforms.model.result import WRITTEN as WRITTEN
from transforms.model.result import ExpirationResult as ExpirationResult
from transforms.model.result import Failure as Failure
from transforms.model.stream import Item as Item
from transforms.model.stream import Restart as Restart
from transforms.model.stream import Trailer as Trailer
from transforms.model.stream import Withdrawn as Withdrawn
