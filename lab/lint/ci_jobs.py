# SPDX-License-Identifier: GPL-2.0
"""Check the job files in ci/.

They have to be YAML, and the files that they name have to exist. LAVA has to accept the job
for LAVA, and that has to expect all scenarios of the suite.
"""

import os
import re
import subprocess

import yaml
from lava_common.schemas import validate as validate_job
from lava_common.schemas.test.testdef import validate as validate_test
from voluptuous import Invalid

CI = "ci"
SUITE = "tools/testing/selftests/uio/unplug"
JOB, TEST = f"{CI}/lava-job.yaml", f"{CI}/lava.yaml"


def check_paths(file):
    with open(file) as text:
        for path in re.findall(r"(?<![\w/])(?:ci|lab|tools)/[\w./-]*\w", text.read()):
            if not os.path.exists(path):
                yield f"{file}: there is no {path}"


def check_yaml(file):
    try:
        with open(file) as text:
            if not isinstance(yaml.safe_load(text), dict):
                yield f"{file}: it has no keys"
    except yaml.YAMLError as error:
        yield f"{file}: {' '.join(str(error).split())}"


def check_lava():
    with open(JOB) as job_file, open(TEST) as test_file:
        job, test = yaml.safe_load(job_file), yaml.safe_load(test_file)
    for file, validate, what in (JOB, validate_job, job), (TEST, validate_test, test):
        try:
            validate(what)
        except Invalid as error:
            yield f"{file}: {error}"
            return
    listed = subprocess.run([f"{SUITE}/unplug", "--list"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    scenarios = {line.split()[0] for line in listed.splitlines()}
    for action in job["actions"]:
        for definition in action.get("test", {}).get("definitions", []):
            for name in sorted(scenarios ^ set(definition.get("expected", []))):
                yield f"{JOB}: {name} is only here, or only a scenario: make them agree"


def check():
    found = []
    for file in sorted(os.path.join(CI, name) for name in os.listdir(CI)):
        if os.path.isfile(file):
            found += check_paths(file)
        if file.endswith((".yml", ".yaml")):
            found += check_yaml(file)
    return found or list(check_lava())
