// LogLines: the log of what a test looks at, kept in memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"

namespace nsr::test {

struct LogLines final : LogSink {
    void log(Instant, LogLevel level, std::string_view line) override {
        levels.push_back(level);
        lines.emplace_back(line);
    }
    std::vector<LogLevel> levels;  // [i] of lines[i]
    std::vector<std::string> lines;
};

}  // namespace nsr::test
