"""REDbot and httplint on the running demo: no warning that is ours.

Usage: lint.py BASE PATH... Asks each path as REDbot does (plain, conditional, for a part, for another coding, HEAD)
and prints what it thinks is wrong; ends with 1 when there is anything.
"""

import sys
from configparser import ConfigParser

import thor
from httplint.note import levels
from redbot.resource import HttpResource

# Notes that are not about us, and why.
OTHERS = {}


def checked(urls):
    """What REDbot knows of each once it has asked all it wants to."""
    config = ConfigParser()
    config.read_dict({"redbot": {"enable_local_access": "True"}})
    resources = [HttpResource(config["redbot"], descend=False) for _ in urls]
    running = set(resources)
    for resource, url in zip(resources, urls):
        resource.set_request(url)

        def ended(resource=resource):
            running.discard(resource)
            if not running:
                thor.stop()

        resource.on("check_done", ended)
    for resource in resources:
        resource.check()
    if running:
        thor.run()
    return resources


def wrong_with(resource):
    if resource.fetch_error is not None:
        return [f"no answer: {resource.fetch_error}"]
    notes = list(resource.response.notes)
    for check in resource.subreqs.values():
        notes.extend(check.response.notes)
    for note in list(notes):
        notes.extend(note.subnotes)
    if not notes:
        return ["REDbot said nothing: was it asked?"]
    bad = [note for note in notes if note.level in (levels.WARN, levels.BAD)]
    named = {f"{type(note).__name__}: {note.summary}" for note in bad if type(note).__name__ not in OTHERS}
    return sorted(named)


def main():
    base, paths = sys.argv[1], sys.argv[2:]
    found = [wrong_with(resource) for resource in checked([base + path for path in paths])]
    for path, notes in zip(paths, found):
        print(f"  {path}: {len(notes) or 'no'} warnings")
        for note in notes:
            print(f"    {note}")
    sys.exit(any(found))


if __name__ == "__main__":
    main()
