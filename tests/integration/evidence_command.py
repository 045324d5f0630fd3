"""`attestation evidence …` as a test sees it."""

import json
import os

from appliance import BIN, clean_environment

import subprocess

REAL = os.path.join(os.environ["ITL_SHARED_DATA"], "real")


class Outcome:
    def __init__(self, status, stdout, stderr):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    @property
    def json(self):
        return json.loads(self.stdout)

    @property
    def problems(self):
        """The words of the problems of an EK."""
        return {problem.split(":")[0] for problem in self.json["problems"]}

    def __repr__(self):
        return f"exit {self.status}\n{self.stdout}\n{self.stderr}"


def evidence(*arguments, stdin=b""):
    done = subprocess.run([os.path.join(BIN, "attestation"), "evidence", *arguments], input=stdin, capture_output=True,
                          timeout=60, env=clean_environment())
    assert done.returncode in (0, 1, 2), done
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def real(*names):
    return os.path.join(REAL, *names)


def expected(folder, name):
    with open(real(folder, name)) as file:
        return json.load(file)
