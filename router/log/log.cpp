#include "router/log/log.hpp"

#include <algorithm>
#include <cstdio>

namespace nsr::router {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} * 1024;  // kernel: CONFIG_LOG_BUF_SHIFT 18

std::string stamp(Duration since_boot) {
    const auto microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(since_boot).count();
    char text[40];
    std::snprintf(text, sizeof text, "[%5lu.%06lu] ",
                  static_cast<unsigned long>(microseconds / 1'000'000),
                  static_cast<unsigned long>(microseconds % 1'000'000));
    return text;
}

}  // namespace

void KernelLog::log(Instant now, LogLevel level, std::string_view line) {
    std::string text = stamp(clock_.since_boot(now));
    text += line;
    // One call is one line, whatever a packet or a rule put into it.
    std::replace(text.begin(), text.end(), '\n', ' ');
    text += '\n';
    if (copy_to_stderr && static_cast<unsigned>(level) < console_level) {
        stderr_.write(text);
    }
    bytes_ += text.size();
    lines_.push_back({level, std::move(text)});
    while (bytes_ > kMaxBytes) {
        bytes_ -= lines_.front().text.size();
        lines_.pop_front();
        ++first_;
    }
    if (on_line) {
        on_line();
    }
}

std::string KernelLog::text() const {
    std::string out;
    out.reserve(bytes_);
    read_from(0, out);
    return out;
}

std::uint64_t KernelLog::read_from(std::uint64_t from, std::string& out, Form form) const {
    for (std::uint64_t i = std::max(from, first_); i < lines(); ++i) {
        const Line& line = lines_[static_cast<std::size_t>(i - first_)];
        if (form == Form::Raw) {
            out.append("<").append(std::to_string(static_cast<unsigned>(line.level))).append(">");
        }
        out += line.text;
    }
    return lines();
}

}  // namespace nsr::router
