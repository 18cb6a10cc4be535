#include "router/log/log.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
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

// kPipeBytes: what a pipe holds without being read. pipe(7)
TEST_CASE("log: standard error that nobody reads loses lines, and says how many") {
    constexpr std::size_t kPipeBytes = 64 * 1024;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const int before = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    const SystemClock clock;
    KernelLog log(clock);
    const std::string line(1000, 'x');
    for (int i = 0; i < 100; ++i) {
        log.log(clock.now(), LogLevel::Info, line);
    }
    std::string read(kPipeBytes, '\0');
    read.resize(static_cast<std::size_t>(::read(ends[0], read.data(), read.size())));
    const auto taken = std::count(read.begin(), read.end(), '\n');
    CHECK(taken > 0);
    log.log(clock.now(), LogLevel::Info, "there is room again");
    read.resize(kPipeBytes);
    read.resize(static_cast<std::size_t>(::read(ends[0], read.data(), read.size())));
    CHECK(read.find(std::to_string(100 - taken) + " lines of the log were not taken here\n") !=
          std::string::npos);
    CHECK(read.ends_with("there is room again\n"));
    const std::string held = log.text();
    CHECK(std::count(held.begin(), held.end(), '\n') == 101);
    ::dup2(before, STDERR_FILENO);
    for (const int descriptor : {ends[0], ends[1], before}) {
        ::close(descriptor);
    }
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
