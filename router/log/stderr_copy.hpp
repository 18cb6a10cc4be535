// Standard error as a place for lines that nobody waits for.
//
// Whoever reads standard error may stop reading (`2>&1 | less`, a terminal that is stopped), and
// the packets must not stop with it: a line that there is no room for is lost here, counted, and
// the count is told when there is room again. Others share the descriptor, so its flags stay as
// they are: pipes and terminals are opened once more to be written without blocking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "netlink/descriptor.hpp"

namespace nsr::router {

class StderrCopy {
  public:
    // `line` ends in a line break.
    void write(std::string_view line);
    // Standard error is another file now; the one that it was is let go.
    void reopen();

    // Lines that had no room, in all.
    [[nodiscard]] std::uint64_t lost() const { return lost_in_all_; }

  private:
    [[nodiscard]] bool settle();
    [[nodiscard]] bool put(std::string_view text);

    bool opened_ = false;
    netlink::Descriptor own_;  // of a pipe or terminal
    bool is_socket_ = false;
    std::string rest_;        // of what had only begun to fit
    std::uint64_t lost_ = 0;  // since it was last told
    std::uint64_t lost_in_all_ = 0;
};

}  // namespace nsr::router
