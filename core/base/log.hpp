// The router's own log (what dmesg shows): the core appends lines to a sink that whoever drives it
// provides.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/instant.hpp"

namespace nsr {

// kernel: KERN_ERR ... KERN_DEBUG
enum class LogLevel : std::uint8_t {
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug
};

class LogSink {
  public:
    virtual ~LogSink() = default;
    // One line without a line break; the sink stamps it with `now`.
    virtual void log(Instant now, LogLevel level, std::string_view line) = 0;
};

}  // namespace nsr
