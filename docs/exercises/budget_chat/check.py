"""Leaves it to the grader."""

import subprocess
import sys

from checking import SUBJECT, program

sys.exit(subprocess.run([program("grade"), "budget_chat", "--", SUBJECT, "{port}"], check=False).returncode)
