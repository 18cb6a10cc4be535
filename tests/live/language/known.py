"""The differences that docs/kernel-parity.md names, each with how it is recognized."""
import re

import known_values


def name(case, theirs, ours):
    """The id of its row; empty: it is not one of them."""
    if not hasattr(case, "words"):
        return ""
    for row, is_it in ROWS.items():
        if is_it(case, theirs, ours):
            return row
    return ""


def old_negation(case, theirs, ours):
    return ours.accepted and not theirs.accepted and re.search(r"(^| )--?[\w-]+ ! [^-!]", case.text)


def options_first(case, theirs, ours):
    """An option stands before the -p or -j that gives it its meaning; --source=X, which the tool takes for a name."""
    if theirs.accepted or not ours.accepted:
        return False
    if re.search(r"(^| )--(pr|so|sr|de|ds|in|out|ju)\w*(-\w*)?=", case.text):
        return True
    named = re.search(r'unknown option "(.*?)"', theirs.text)
    if "need to use --gid-owner first" in theirs.text:
        return True
    late = re.search(r"Need TCP, UDP|multiport (needs|only works)", theirs.text)
    places = [i for i, word in enumerate(case.words) if re.match(r"-p|--prot|-j|--j", word)]
    if late:
        return bool(places)
    at = [i for i, word in enumerate(case.words) if named and word.split("=")[0] == named[1].split("=")[0]]
    return bool(at) and any(place > at[0] for place in places)


def udplite(case, theirs, ours):
    return ours.accepted and not theirs.accepted and re.search(r"-p (udplite|136)|-m udplite|--match udplite", case.text) and "-m udplite" in ours.text


# What the tool cuts, leaves out or makes something else of, and nsrouter refuses: (what nsrouter says, what the rule has).
STRICT = [
    (r"is not a port", r"\d{5,}"),  # 65536 becomes 0
    (r"is not a port|not an? .*(port|service)", r"/\d+[^\s\d]"),
    (r"is not an? |ends before it begins|not a range", r"%lo"),  # the scope of an address
    (r"is not (an address or prefix|a prefix|the length of a prefix|a mask)", r"/([\da-f]*[.:]|\d\d)"),  # masks with holes become /32 or /128
    (r"ends before it begins", r"--to\b"),
    (r"is not a port, the name of a service, or a range", r"\d+-\d+/\d"),  # --to-ports 80-90/8000 becomes 80-90/0
    (r"unknown DSCP class", r""),  # what stands behind a number or name
    (r"is not a rate such as 5/second, 3/minute", r"--?limit[= ]\S*\d"),
    (r"a quote is opened and not closed", r""),
    (r"a probability is a number", r"nan"),
    (r"--dccp-types needs a list", r""),
    (r"--set-class needs a handle", r":\d+:"),
]


def strict_values(case, theirs, ours):
    if not theirs.accepted or ours.accepted:
        return False
    return any(re.search(said, ours.text) and re.search(has, case.text) for said, has in STRICT) or any(
        re.search(said, ours.text) and has(case) for said, has in known_values.STRICT)


# What iptables-save leaves out or writes so that it cannot be read back, and nsrouter writes: (its text, nsrouter's).
WHOLE = [
    (r"", r"! --(sport|dport) 0:65535"),
    (r"", r"! --\w*spi 0:4294967295|! --fragid 0:4294967295|! --rt-segsleft 0:4294967295"),
    (r"--icmp-type \d+/\d+( |$)|--icmpv6-type \d+/\d+( |$)", r"--icmp(v6)?-type \d+/\d+:\d+"),
    (r"-[io] [^\"]* |--\w+-?(in|out|name) ", r'-[io] "|--[\w-]*(in|out|name) "'),
    (r"--connbytes 0 ", r"--connbytes 0:0 "),
    (r"port \d+( |$)", r"port \d+:0( |$)"),
    (r"--seconds -\d+|--hitcount -\d+", r"--seconds \d{10}|--hitcount \d{10}"),
]


def save_whole(case, theirs, ours):
    if not theirs.accepted:
        return ours.accepted and known_values.read_back(theirs.text)
    if not ours.accepted or theirs.text == ours.text:
        return False
    return known_values.saved_whole(theirs.text, ours.text) or any(re.search(a, theirs.text) and re.search(b, ours.text) for a, b in WHOLE)


def rateest_names(case, theirs, ours):
    return ours.accepted and not theirs.accepted and "failed" in theirs.text and "-m rateest" in ours.text and known_values.no_estimator(case)


def cgroup_path(case, theirs, ours):
    return ours.accepted and not theirs.accepted and "failed" in theirs.text and re.search(r"-m cgroup (! )?--path ", ours.text) and known_values.no_cgroup(case)


def not_judged(case, theirs, ours):
    """The kernel at hand has not what the rule speaks of: a module, a set, an accounting object, a security label. No row: nothing is said."""
    lacking = re.search(r"missing kernel module|Set .* doesn't exist", theirs.text)
    return ours.accepted and not theirs.accepted and (lacking or ("failed" in theirs.text and re.search(r"-m nfacct|-j SECMARK", ours.text)))


ROWS = {"(not judged)": not_judged, "old-negation": old_negation, "options-first": options_first, "udplite-match": udplite, "strict-values": strict_values, "saved-text-is-read-back": save_whole,
        "rateest-names": rateest_names, "cgroup-path-not-looked-up": cgroup_path}
