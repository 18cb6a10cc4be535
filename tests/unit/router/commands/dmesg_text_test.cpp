// Lines of the log as dmesg(1) of util-linux 2.38 shows them; the expectations are what
// `dmesg -F FILE` printed of the same lines, but for times of the calendar, which follow the clock
// of the machine.
#include "router/commands/dmesg_text.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace nsr::router {
namespace {

using Time = DmesgText::Time;

// In UTC on a machine that was started at 2026-11-29 19:16:33.
std::string shown(DmesgText::Form form) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    form.boot_us = std::int64_t{1795979793} * 1'000'000 + 876544;
    DmesgText text(form);
    std::string out;
    for (const char* line :
         {"<6>[ 1000.123456] nf_conntrack version 0.5.0", "<4>[ 1001.123456] table full",
          "<3>[ 1015.500000] gave up", "<7>[12345.000001] debug"}) {
        out += text.line(line);
    }
    return out;
}

}  // namespace

TEST_CASE("dmesg: seconds since the start of the machine, or none") {
    CHECK(shown({}) ==
          "[ 1000.123456] nf_conntrack version 0.5.0\n[ 1001.123456] table full\n"
          "[ 1015.500000] gave up\n[12345.000001] debug\n");
    CHECK(shown({.time = Time::None}) ==
          "nf_conntrack version 0.5.0\ntable full\ngave up\ndebug\n");
}

TEST_CASE("dmesg: the time between two lines") {
    CHECK(shown({.time = Time::Delta}) ==
          "[ 1000.123456 <    0.000000>] nf_conntrack version 0.5.0\n"
          "[ 1001.123456 <    1.000000>] table full\n[ 1015.500000 <   14.376544>] gave up\n"
          "[12345.000001 <11329.500001>] debug\n");
}

TEST_CASE("dmesg: times of the calendar") {
    CHECK(shown({.time = Time::Ctime}) ==
          "[Sun Nov 29 19:33:14 2026] nf_conntrack version 0.5.0\n"
          "[Sun Nov 29 19:33:15 2026] table full\n[Sun Nov 29 19:33:29 2026] gave up\n"
          "[Sun Nov 29 22:42:18 2026] debug\n");
    CHECK(shown({.time = Time::Iso}).starts_with("2026-11-29T19:33:14,000000+00:00 nf_conntrack"));
    CHECK(shown({.time = Time::Relative}) ==
          "[Nov29 19:33] nf_conntrack version 0.5.0\n[  +1.000000] table full\n"
          "[ +14.376544] gave up\n[Nov29 22:42] debug\n");
}

TEST_CASE("dmesg: levels are chosen and named") {
    std::string unknown;
    const auto levels = parse_levels("warn,err", unknown);
    REQUIRE(levels);
    CHECK(shown({.levels = *levels, .decode = true}) ==
          "kern  :warn  : [ 1001.123456] table full\nkern  :err   : [ 1015.500000] gave up\n");
    CHECK(shown({.levels = *levels, .raw = true}) ==
          "<4>[ 1001.123456] table full\n<3>[ 1015.500000] gave up\n");
    CHECK_FALSE(parse_levels("warn,bogus", unknown));
    CHECK(unknown == "bogus");
    CHECK_FALSE(parse_levels("", unknown));
}

TEST_CASE("dmesg: what is no line of a log is shown as it is") {
    DmesgText text({});
    for (const char* line : {"", "<", "<6>", "<9>[ 1.000000] x", "<6>[ 1] x", "hello"}) {
        CHECK(text.line(line) == std::string(line) + "\n");
    }
}

}  // namespace nsr::router
