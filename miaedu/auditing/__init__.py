"""What a fitted model of your own tells about who was in its training set."""

from .audit import audit as audit
from .compare import Comparison as Comparison
from .compare import compare as compare
from .report import AuditReport as AuditReport
