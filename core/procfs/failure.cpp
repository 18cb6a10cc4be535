#include "core/procfs/failure.hpp"

#include <array>
#include <cstddef>

namespace nsr::procfs {

namespace {

struct ErrnoRow {
    Errno code;
    std::string_view name;
    std::string_view text;
};

constexpr std::array<ErrnoRow, 7> kErrnos = {{
    {Errno::NoEntry, "ENOENT", "No such file or directory"},
    {Errno::IsDirectory, "EISDIR", "Is a directory"},
    {Errno::NotDirectory, "ENOTDIR", "Not a directory"},
    {Errno::Access, "EACCES", "Permission denied"},
    {Errno::Invalid, "EINVAL", "Invalid argument"},
    {Errno::Busy, "EBUSY", "Device or resource busy"},
    {Errno::NoMemory, "ENOMEM", "Cannot allocate memory"},
}};

constexpr bool errnos_are_in_order() {
    for (std::size_t i = 0; i < kErrnos.size(); ++i) {
        if (static_cast<std::size_t>(kErrnos[i].code) != i) {
            return false;
        }
    }
    return true;
}
static_assert(errnos_are_in_order());

}  // namespace

std::string_view name_of(Errno error) {
    return kErrnos[static_cast<std::size_t>(error)].name;
}

std::string_view text_of(Errno error) {
    return kErrnos[static_cast<std::size_t>(error)].text;
}

}  // namespace nsr::procfs
