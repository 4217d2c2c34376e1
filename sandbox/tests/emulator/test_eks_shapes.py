"""Every answer of the EKS backend has the shape that botocore's model gives it.

moto's serializer leaves out what the model does not have, so that a client cannot see such a mistake.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.mission_M21

ANSWERS = Path(__file__).with_name("eks_answers.py")


def test_answers_have_their_shape() -> None:
    done = subprocess.run([sys.executable, ANSWERS], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert set(found["uncalled"]) <= {"DescribeUpdate", "DeletePodIdentityAssociation"}
