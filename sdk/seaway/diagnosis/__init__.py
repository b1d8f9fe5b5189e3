"""What is wrong with a training, told by small experiments; see docs/design/diagnosis.md."""

from seaway.diagnosis.examination import Diagnosis, diagnose, require_sound
from seaway.diagnosis.faults import Fault
from seaway.diagnosis.page import write_page
from seaway.diagnosis.subject import Subject, subject_of

__all__ = ["Diagnosis", "Fault", "Subject", "diagnose", "require_sound", "subject_of", "write_page"]
