// Failure: why a virtual file was not read or written. kernel: errno of open(2), read(2), write(2)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nsr::procfs {

enum class Errno : std::uint8_t {
    NoEntry,
    IsDirectory,
    NotDirectory,
    Access,
    Invalid,
    Busy,
    NoMemory
};
std::string_view name_of(Errno error);  // "ENOENT"
std::string_view text_of(Errno error);  // "No such file or directory"

struct Failure {
    Errno code = Errno::Invalid;
    std::string detail;  // what would have been right: "0..255"
};

}  // namespace nsr::procfs
