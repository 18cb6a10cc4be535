#include "core/sets/failure.hpp"

#include <array>
#include <cstddef>

namespace nsr::sets {

namespace {

constexpr std::array kTexts = std::to_array<std::string_view>({
    "",
    "The set with the given name does not exist",
    "Sets cannot be swapped: the second set does not exist",
    "Set cannot be created: set with the same name already exists",
    "Set cannot be destroyed: it is in use by a kernel component",
    "Set cannot be renamed: it is in use by another system",
    "Set cannot be renamed: a set with the new name already exists",
    "The sets cannot be swapped: their type does not match",
    "Kernel error received: maximal number of sets reached, cannot create more.",
    "Protocol family not supported by the set type",
    "Element cannot be added to the set: it's already added",
    "Element cannot be deleted from the set: it's not added",
    "Hash is full, cannot add more elements",
    "Kernel error received: Cannot allocate memory",
    "Kernel error received: Invalid argument",
    "Null-valued element, cannot be stored in a hash type of set",
    "The value of the CIDR parameter of the IP address is invalid",
    "Invalid range, covers the whole address space",
    "Invalid protocol specified",
    "Element is out of the range of the set",
    "The range you specified exceeds the size limit of the set type",
    "The value of the netmask parameter is invalid",
    "The value of the markmask parameter is invalid",
    "Timeout cannot be used: set was created without timeout support",
    "Packet/byte counters cannot be used: set was created without counter support",
    "Comment cannot be used: set was created without comment support",
    "Skbinfo mapping cannot be used: set was created without skbinfo support",
    "Set to be added/deleted/tested as element does not exist.",
    "Sets with list:set type cannot be added to the set.",
    "The set to which you referred with 'before' or 'after' does not exist.",
    "The set to which you referred with 'before' or 'after' is not added to the set.",
});
static_assert(kTexts.size() == static_cast<std::size_t>(Failure::Count));

}  // namespace

std::string_view text_of(Failure failure) {
    return kTexts[static_cast<std::size_t>(failure)];
}

}  // namespace nsr::sets
