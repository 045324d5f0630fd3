"""Edits of policy texts."""

import re


def with_baselines(policy, item):
    """The policy with a list item, as `attestation policy capture` writes it, among its baselines."""
    lines = item.splitlines()
    indent = min(len(re.match(" *", line).group()) for line in lines if line.strip())
    body = "\n".join("  " + line[indent:] for line in lines)
    assert "\nbaselines:" not in policy
    return policy.rstrip("\n") + "\n\nbaselines:\n" + body + "\n"
