// Why something could not be done with a set, in ipset's words.
// kernel: enum ipset_errno
#pragma once

#include <cstdint>
#include <string_view>

namespace nsr::sets {

enum class Failure : std::uint8_t {
    None,
    NoSet,
    NoSecondSet,
    SetExists,
    SetInUse,
    RenameInUse,
    RenameExists,
    TypeMismatch,
    TooManySets,
    Family,
    ElementExists,
    NoElement,
    Full,
    OutOfMemory,
    InvalidArgument,
    NullElement,
    BadPrefix,
    WholeSpace,
    BadProtocol,
    OutOfRange,
    BitmapTooLarge,
    BadNetmask,
    BadMarkmask,
    NoTimeout,
    NoCounters,
    NoComment,
    NoSkbinfo,
    NoMember,
    MemberIsList,
    NoReference,
    ReferenceNotAdded,
    Count
};

// As ipset prints it behind "ipset v7.17: ".
std::string_view text_of(Failure failure);

}  // namespace nsr::sets
