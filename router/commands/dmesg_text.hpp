// Lines of the log as dmesg(1) shows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nsr::router {

// The levels that `names` ("err,warn") stand for, bit by bit; nothing: one is unknown.
std::optional<unsigned> parse_levels(std::string_view names, std::string& unknown);

// dmesg(1), util-linux 2.38: what it makes of the lines of `dmesg -r`, in the same words.
class DmesgText {
  public:
    enum class Time : std::uint8_t { Default, None, Ctime, Delta, CtimeDelta, Relative, Iso };
    struct Form {
        Time time = Time::Default;
        unsigned levels = ~0U;  // bit by bit
        bool raw = false;
        bool decode = false;  // facility and level before each line
        // Microseconds from 1970 to the start of the machine.
        std::int64_t boot_us = 0;
    };
    explicit DmesgText(const Form& form) : form_(form) {}

    // "<6>[ 1000.123456] text", without line break -> what is shown of it, with one; empty:
    // nothing.
    std::string line(std::string_view raw);

  private:
    [[nodiscard]] std::string stamp(std::int64_t us);

    Form form_;
    std::optional<std::int64_t> last_us_;  // the line before this one
    std::optional<std::int64_t> last_minute_;
};

}  // namespace nsr::router
