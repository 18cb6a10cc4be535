// What one packet may ask of one table of rules. The kernel knows no bound: forty chains that jump
// twice to the next keep it busy for ever. differs: rules-bounded
#pragma once

#include <cstdint>

namespace nsr::rules {

inline constexpr std::uint32_t kMostJumps = 65536;
// Instructions. A call counts as several, one that searches the packet as more, and so does one
// that looks at many things it remembers (ActionParam::charge).
inline constexpr std::uint32_t kMostWork = 2097152;

}  // namespace nsr::rules
