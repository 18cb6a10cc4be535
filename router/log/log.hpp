// The router's dmesg: the last lines of its log, and a copy on standard error as far as somebody
// reads it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "router/base/clock.hpp"
#include "router/log/stderr_copy.hpp"

namespace nsr::router {

class KernelLog : public LogSink {
  public:
    explicit KernelLog(const SystemClock& clock) : clock_(clock) {}

    void log(Instant now, LogLevel level, std::string_view line) override;

    // All lines that are still held, each "[%5lu.%06lu] text\n" as dmesg prints it.
    [[nodiscard]] std::string text() const;
    // Appends the lines from number `from` on; returns the number of the line that comes next.
    std::uint64_t read_from(std::uint64_t from, std::string& out) const;

    // Standard error is another file now.
    void reopen_stderr() { stderr_.reopen(); }

    bool copy_to_stderr = true;
    std::function<void()> on_line;  // somebody follows the log

  private:
    const SystemClock& clock_;
    StderrCopy stderr_;
    std::deque<std::string> lines_;
    std::uint64_t first_ = 0;  // number of lines_.front()
    std::size_t bytes_ = 0;
};

}  // namespace nsr::router
