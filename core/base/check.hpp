// NSR_CHECK: a broken invariant of our own is a bug; it stops the program with the place and the
// words.
#pragma once

namespace nsr {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace nsr

#define NSR_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::nsr::check_failed(#condition, __FILE__, __LINE__))
