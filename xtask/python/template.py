"""cfn-lint and AWS's own SAM translator on every template of a folder.

Usage: template.py FOLDER. A template passes when the translator makes CloudFormation of it and cfn-lint has nothing to
say, not even a warning. It talks to nobody: the region is a name, and managed policies are not looked up.
"""

import logging
import os
import sys
from pathlib import Path

os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"

import boto3
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform


class NoPolicies:
    """Our roles name no managed policy."""

    def load(self):
        return {}


def made(text):
    """What is wrong with it for the translator."""
    # As `sam package` does: the archive is uploaded first.
    template = cfn_yaml.loads(text.replace("CodeUri: function.zip", "CodeUri: s3://bucket/function.zip"))
    boto3.setup_default_session(region_name=os.environ["AWS_DEFAULT_REGION"])
    try:
        resources = transform(template, {}, NoPolicies())["Resources"]
    except Exception as error:
        return [f"the translator: {error}"]
    left = [name for name, resource in resources.items() if resource["Type"].startswith("AWS::Serverless::")]
    return [f"the translator left {name} as it was" for name in left]


def main():
    logging.disable(logging.WARNING)  # The translator counts what it does, for a service that is not there.
    paths = sorted(Path(sys.argv[1]).glob("*.yaml"))
    wrong = 0
    for path in paths:
        text = path.read_text()
        matches = lint(text, config=ManualArgs(regions=[os.environ["AWS_DEFAULT_REGION"]]))
        found = made(text) + [f"cfn-lint {match.rule.id}, line {match.linenumber}: {match.message}" for match in matches]
        for line in found:
            print(f"  {path.name}: {line}")
        wrong += bool(found)
    print(f"  {len(paths)} templates, {wrong} with something wrong")
    sys.exit(wrong > 0 or not paths)


if __name__ == "__main__":
    main()
