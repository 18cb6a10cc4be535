// What the operating system refused: the attempt in words, and its errno.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace nsr {

class SystemError : public std::runtime_error {
  public:
    // what(): "attempt: text of the error".
    SystemError(std::string_view attempt, int error);
    // For errors that have a better explanation than their errno.
    SystemError(std::string_view attempt, int error, std::string_view explanation);

    [[nodiscard]] const std::string& attempt() const { return attempt_; }
    [[nodiscard]] int code() const { return error_; }

  private:
    std::string attempt_;
    int error_;
};

namespace netlink {

// Throws SystemError with the current errno if `result` is negative; else gives it back.
int check_call(std::string_view attempt, int result);
// The same for a libnl result (a negated NLE_ code).
void check_netlink(std::string_view attempt, int result);
// The errno that a libnl result stands for.
int errno_of_netlink(int result);

}  // namespace netlink
}  // namespace nsr
