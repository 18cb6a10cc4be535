#include "router/log.hpp"

#include <doctest/doctest.h>

#include <regex>

using namespace nsr;
using namespace nsr::router;

TEST_CASE("log: lines carry the stamp of dmesg and stay one line each") {
    const SystemClock clock;
    KernelLog log(clock);
    log.copy_to_stderr = false;
    log.log(clock.now(), LogLevel::Info, "first");
    log.log(clock.now(), LogLevel::Info, "two\nlines");
    const std::regex expected(R"(\[ *\d+\.\d{6}\] first\n\[ *\d+\.\d{6}\] two lines\n)");
    CHECK(std::regex_match(log.text(), expected));
}

TEST_CASE("log: the oldest lines go when it is full, and a follower skips what it missed") {
    const SystemClock clock;
    KernelLog log(clock);
    log.copy_to_stderr = false;
    const std::string line(1000, 'x');
    for (int i = 0; i < 1000; ++i) {
        log.log(clock.now(), LogLevel::Info, line);
    }
    const std::string text = log.text();
    CHECK(text.size() <= 256 * 1024);
    CHECK(text.size() > 200 * 1024);
    std::string read;
    CHECK(log.read_from(0, read) == 1000);
    CHECK(read == text);
    read.clear();
    CHECK(log.read_from(999, read) == 1000);
    CHECK(std::count(read.begin(), read.end(), '\n') == 1);
}
