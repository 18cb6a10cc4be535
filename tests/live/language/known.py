"""The differences that docs/kernel-parity.md names, each with how it is recognized."""
import re

import known_values


def name(case, theirs, ours):
    """The id of its row; empty: it is not one of them."""
    for row, is_it in (ROWS if hasattr(case, "words") else FILE_ROWS).items():
        if is_it(case, theirs, ours):
            return row
    return ""


def old_negation(case, theirs, ours):
    """The value behind "--option !", as the tool complains of it: it read "!" as the value, and the value as a word too many."""
    inside = re.search(r'(?:^| )(--?[\w-]+) ! (?:"([^"]*)"|([^-!]\S*))', case.text) if ours.accepted and not theirs.accepted else None
    if not inside:
        return False
    option, value = inside[1], inside[3] if inside[2] is None else inside[2]
    complaints = [r"[`'\"]!", rf"Bad argument `{re.escape(value)}'", rf'bad value for option "{option}', "getaddrinfo: |not found", " name ! ", "requires an argument|requires two args", "Unknown|unknown|Invalid|invalid|Bad|bad", "Cannot parse !|! is not a valid|not a number|deprecated|has to be one of"]
    said_otherwise = "--connlimit-|--hashlimit-|--(month|week)days|--connbytes|--pol none"  # than with a "!"
    return re.search(f"! |{said_otherwise}", ours.text) and re.search("|".join(complaints), theirs.text)


def options_first(case, theirs, ours):
    """An option stands before the -p or -j that gives it its meaning; --source=X, which the tool takes for a name."""
    if theirs.accepted or not ours.accepted:
        return False
    if re.search(r"[`\"]--(pr|so|sr|de|ds|in|out|ju)\w*(-\w*)?=", theirs.text):
        return True
    if "unknown option" in theirs.text and re.search(r"-p\w* (135|0x87) ", case.text):
        return True  # a number does not load the match of that protocol
    if "rule would never match protocol" in theirs.text and re.search(r"! --ctstatus .*--ctp\w* ", case.text):
        return True  # --ctproto 0 may stand before ! --ctstatus, not behind it
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
    return ours.accepted and not theirs.accepted and "-m udplite" in ours.text


# What the tool cuts, leaves out or makes something else of, and nsrouter refuses: (what nsrouter says, what the rule has).
STRICT = [
    (r'"([^"]*\D)?(6553[6-9]|655[4-9]\d|65[6-9]\d\d|6[6-9]\d{3}|[7-9]\d{4}|\d{6,})(\D[^"]*)?" is not a port', r""),  # 65536 becomes 0
    (r'"[^"]*/[^"]*" is not an IPv6 address or prefix$', r"--srh-[pnl]\w*"),  # a mask with holes becomes /128
    (r"--(dst|hbh)-opts needs 1 to 16 options such as", r'--(dst|hbh)-o\S*[ =]"?(\S*[:,])?-\d'),  # -1 becomes 255
    (r"is not a port|not an? .*(port|service)", r"/\d+[^\s\d]"),
    (r'"[^"]*%lo[^"]*" is not ', r""),  # the scope of an address
    (r'"[^"/]+/[^"]+" is not an address or prefix$', r"--ct(orig|repl)(src|dst)"),  # masks with holes become /32 or /128
    (r"is not (an address or prefix|a prefix|the length of a prefix|a mask)", r"/([\da-f]*[.:]|\d\d)"),  # masks with holes become /32 or /128
    (r"ends before it begins", r"--to\b"),
    (r"is not a port, the name of a service, or a range", r"\d+-\d+/\w"),  # --to-ports 80-90/8000 becomes 80-90/0
    (r"unknown DSCP class", r""),  # what stands behind a number or name
    (r"is not a rate such as 5/second, 3/minute", r"--?limit[= ]\S*\d"),
    (r"a quote is opened and not closed", r""),
    (r"a probability is a number", r"nan"),
    (r'"[\d.]+" is not the length of a prefix', r"--connlimit-m"),  # 33 is the mask 0.0.0.33, which becomes /32
    (r"--dccp-types needs a list", r'--dccp-t\S*[ =]"?,*"?( |$)'),
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
    (r"-m ipcomp( --compres)?( |$)", r"--ipcompspi 0:4294967295"),
    (r"--icmp-type \d+/\d+( |$)|--icmpv6-type \d+/\d+( |$)", r"--icmp(v6)?-type \d+/\d+:\d+"),
    (r"-[io] [^\"]* |--\w+-?(in|out|name) ", r'-[io] "|--[\w-]*(in|out|name) "'),
    (r"--physdev-(in|out)( |$)", r'--physdev-(in|out) ""'),
    (r"", r"! -[io] \+( |$)"),
    (r"-m sctp .*--chunk-types", r"--chunk-types.*[ ,](I_DATA|ASCONF|ASCONF_ACK|FORWARD_TSN|I_FORWARD_TSN|RE_CONFIG|PAD):"),
    (r"-m osf .*--genre", r'--genre "'),
    (r"-m mh( |$)", r"! --mh-type 0:255"),
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
    """The kernel at hand has not what the rule speaks of: a module, a set, a security label. No row: nothing is said."""
    lacking = re.search(r"missing kernel module|Set .* doesn't exist", theirs.text)
    return ours.accepted and not theirs.accepted and (lacking or ("failed" in theirs.text and "-j SECMARK" in ours.text))


def line_at_fault(case, theirs):
    where = re.search(r"^Error occurred at line: (\d+)|: line (\d+) failed|COMMIT expected at line (\d+)", theirs.text, re.M)
    lines = case.text.split("\n")
    number = int(where[1] or where[2] or where[3]) if where else 0
    return lines[number - 1] if 0 < number <= len(lines) else None, number == len(lines)


def lenient_lines(case, theirs, ours):
    """A blank stands where the tool wants none, a line ends with a carriage return, or the last COMMIT with nothing. The tool cannot list a jump
    to a user chain before it is committed."""
    if ours.accepted and "Can't find library for target" in theirs.text:
        return re.search(r"^(-[LS]|--list)", case.text, re.M)
    line, is_last = line_at_fault(case, theirs) if ours.accepted and not theirs.accepted else (None, False)
    return line is not None and (re.search(r"^[ \t]+\S|^[ \t]+$|\r$|^COMMIT[ \t]+$", line) or (is_last and line == "COMMIT"))


def counters_restored(case, theirs, ours):
    """Told to restore counters, the tool wants some of each policy."""
    line, _ = line_at_fault(case, theirs) if ours.accepted and "invalid policy counters" in theirs.text else (None, False)
    return line is not None and re.search(r"^:[ \t]*\S+[ \t]+(ACCEPT|DROP)[ \t]*$", line)


def strict_counters(case, theirs, ours):
    """Of counters the tool reads the digits that stand first."""
    wrong = [re.fullmatch(r'\d+:\d+: "\[\d+\w*:\d+[^"]*" is not \[packets:bytes\]', line) for line in ours.text.splitlines()]
    return theirs.accepted and not ours.accepted and all(wrong)


FILE_ROWS = {"lenient-lines": lenient_lines, "counters-restored": counters_restored, "strict-values": strict_counters}
ROWS = {"(not judged)": not_judged, "old-negation": old_negation, "options-first": options_first, "udplite-match": udplite, "strict-values": strict_values, "saved-text-is-read-back": save_whole,
        "rateest-names": rateest_names, "cgroup-path-not-looked-up": cgroup_path}
