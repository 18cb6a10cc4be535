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

    // Raw: "<6>" before each line, its level and the facility of the kernel, as `dmesg -r`.
    enum class Form : std::uint8_t { Text, Raw };
    // All lines that are still held, each "[%5lu.%06lu] text\n" as dmesg prints it.
    [[nodiscard]] std::string text() const;
    // Appends the lines from number `from` on; returns the number of the line that comes next.
    std::uint64_t read_from(std::uint64_t from, std::string& out, Form form = Form::Text) const;

    // dmesg -C: whoever reads from cleared() on does not see what came before. kernel:
    // SYSLOG_ACTION_CLEAR
    void clear() { cleared_ = lines(); }
    [[nodiscard]] std::uint64_t cleared() const { return cleared_; }

    // How many there were so far, and how many of them standard error had no room for.
    [[nodiscard]] std::uint64_t lines() const { return first_ + lines_.size(); }
    [[nodiscard]] std::uint64_t lost() const { return stderr_.lost(); }

    // Standard error is another file now.
    void reopen_stderr() { stderr_.reopen(); }

    bool copy_to_stderr = true;
    // Standard error gets the levels below it. kernel: console_loglevel
    unsigned console_level = 8;
    std::function<void()> on_line;  // somebody follows the log

  private:
    const SystemClock& clock_;
    StderrCopy stderr_;
    struct Line {
        LogLevel level = LogLevel::Info;
        std::string text;
    };
    std::deque<Line> lines_;
    std::uint64_t first_ = 0;  // number of lines_.front()
    std::uint64_t cleared_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace nsr::router
