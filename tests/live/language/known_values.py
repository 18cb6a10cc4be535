"""Which values of some extensions are known to be taken in another way, recognized by the value itself."""
import datetime
import re

from values import ESTIMATORS

# Options whose text iptables-save writes as it stands, blanks and all.
NAMES = r"--(?:label|oif|name|hashlimit-name|rateest-name|rateest[12]?|helper|timeout)"


def given(case, *names):
    """What the rule gives to options of these names or beginnings of them."""
    found = []
    for word, following in zip(case.words, (*case.words[1:], "")):
        option, equals, inline = word.partition("=")
        if option.startswith("--") and len(option) > 3 and any(name.startswith(option[2:]) for name in names):
            found.append(plain(inline if equals else following))
    return found


def plain(word):
    return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.S) if re.fullmatch(r'".*"', word, re.S) else word


def is_no_day(text):
    """A month or day is missing or 0, or the month has no such day."""
    year, month, day = (re.match(r"\s*\+?(\d+)(?:-(\d*))?(?:-(\d*))?", text) or re.match("()()()", "")).groups()
    try:
        datetime.date(int(year), int("1" if month is None else month), int("1" if day is None else day))
        return False
    except ValueError:
        return True


def wide_days(case):
    """More digits than the tool looks at, or a number that is no day."""
    months = [day for text in given(case, "monthdays") for day in text.split(",")]
    weeks = [day for text in given(case, "weekdays") for day in text.split(",")]
    return any(len(day) > 2 for day in months) or any(re.fullmatch(r"\s*[-+]?[0-9a-fxA-FX]+", day) for day in weeks)


def rates(case):
    return given(case, "hashlimit", "hashlimit-upto", "hashlimit-above")


def great_rate(case):
    return any(re.match(r"\s*(-|\+?(nan|inf)|.*[MmGgTt])", text) for text in given(case, "rateest-bps", "rateest-bps1", "rateest-bps2"))


# What nsrouter says, and what the rule must have besides.
STRICT = [
    (r"is not a time such as", lambda case: any(map(is_no_day, given(case, "datestart", "datestop")))),
    (r"is not a list of (weekdays|days)", wide_days),
    # What stands behind the number: 5x/second, 512gb/s, 512kB/s, 512kb/minute; and a rate of bytes that is cut to 32 bits or to 0.
    (r"is not a rate such as 5/second, 1/hour or 512kb", lambda case: any(re.match(r"\s*\+?\d+\s*[^\d/]", rate) for rate in rates(case))),
    (r"is not a rate from", lambda case: any(re.match(r"\s*\+?\d+[km]?b/s", rate) for rate in rates(case))),
    (r"a burst is a number of bytes|--hashlimit-burst needs a number", lambda case: any(re.match(r"\s*\+?\w+[^\d]", burst) for burst in given(case, "hashlimit-burst"))),
    (r"--hashlimit-rate-interval needs", lambda case: any(re.match(r"\s*\+?\d+[^\d]|\d{10,}", text) for text in given(case, "hashlimit-rate-interval"))),
    (r"needs the length of a prefix, not", lambda case: any(re.search(r"[.:]|\d\d", text) for text in given(case, "hmark-src-prefix", "hmark-dst-prefix"))),
    # A colon at the third place is taken for that of "[]:80".
    (r"is not an IPv4 address or range", lambda case: any(re.match(r"[^:]{2}:", text) for text in given(case, "to-destination", "to-source"))),
    (r"makes a time that is longer than 4294 seconds", lambda case: True),
    (r"is not a rate such as 2.5mbit", great_rate),
    (r"needs --rateest, one of", lambda case: not given(case, "rateest", "rateest1")),
]


def same_but(theirs, ours, their_part, our_part):
    """The texts are equal but for these parts of them, which both have."""
    return re.search(their_part, theirs) and re.search(our_part, ours) and re.sub(their_part, "", theirs) == re.sub(our_part, "", ours)


def unquoted(text):
    return re.sub(NAMES + r' "(?:\\.|[^"\\])*"', lambda found: found[0].split(" ")[0] + " " + plain(found[0].split(" ", 1)[1]), text, flags=re.S)


ALL_WEEK = "! --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun"
ALL_MONTH = ",".join(map(str, range(1, 32)))
WHOLE = [
    (r"--timeout \S{4}(?= |$)", r"--timeout [^ ]{5,}"),  # the kernel shows four characters of the name of a policy
    (r"--hashlimit-burst \d+[km]b", r"--hashlimit-burst \d+k?b"),  # cut to whole units
    (r"--weekdays  ?", ALL_WEEK + " ?"),
    (r"--monthdays  ?", f"! --monthdays {ALL_MONTH} ?"),
    (f"--monthdays {ALL_MONTH} ", "(?=--)"),
]
LEFT_OUT = [" --datestop 1970-01-01T00:00:00", "! -i + ", "! -o + ", "! -i +", "! -o +"]  # what nsrouter says besides


def saved_whole(theirs, ours):
    if unquoted(ours) == theirs != ours or any(part in ours and ours.replace(part, "") == theirs for part in LEFT_OUT):
        return True
    if re.sub(r"(:(\d+))-\2(/\d+)", r"\1\3", ours) == theirs != ours:  # DNAT to one port, with a base
        return True
    return any(same_but(theirs, ours, *row) for row in WHOLE)


def read_back(theirs):
    """What the tool saves and does not read again: a mask of more than five nodes, a comparison that stands twice, a pattern of 128 bytes in digits."""
    return re.search(r'"--cluster-local-nodemask", or out of range|can.t specify lt/gt/eq twice|STRING too long', theirs)


def no_estimator(case):
    return any(name[:15] not in ESTIMATORS for name in given(case, "rateest", "rateest1", "rateest2"))


def no_cgroup(case):
    return any(path not in ("/", "") for path in given(case, "path"))
