// Settings of the calling thread's namespace below /proc/sys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nsr::netlink {

// `name` is a path below /proc/sys. What the setting was before; nothing if the kernel has none of
// that name. Throws SystemError.
std::optional<std::string> write_setting(const std::string& name, std::string_view value);

// Its value, without the line break; nothing if the kernel has none of that name. Throws
// SystemError.
std::optional<std::string> read_setting(const std::string& name);

}  // namespace nsr::netlink
