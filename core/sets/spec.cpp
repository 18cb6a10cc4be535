#include "core/sets/spec.hpp"

namespace nsr::sets {

IpAddress SetSpec::mask() const {
    if (bitmask) {
        return *bitmask;
    }
    const unsigned bits = family == Family::Ipv6 ? 128 : 32;
    return mask_of(family == Family::None ? Family::Ipv4 : family, netmask.value_or(bits));
}

std::uint64_t SetSpec::hosts() const {
    return netmask && family != Family::Ipv6 ? std::uint64_t{1} << (32 - *netmask) : 1;
}

// kernel: bitmap_ip_create, bitmap_port_create, hash_ip_create
Failure SetSpec::check() const {
    const bool netmask_of_bitmap = type->storage == Storage::Bitmap && netmask;
    if (netmask_of_bitmap && (first % hosts() != 0 || (last + std::uint64_t{1}) % hosts() != 0)) {
        return Failure::BadNetmask;
    }
    if (type->storage == Storage::Bitmap &&
        (std::uint64_t{last} - first) / hosts() >= kMostBitmapElements) {
        return Failure::BitmapTooLarge;
    }
    if (markmask == 0) {
        return Failure::BadMarkmask;
    }
    return Failure::None;
}

// kernel: mtype_same_set, bitmap's and list_set's
bool SetSpec::same_as(const SetSpec& other) const {
    return type == other.type && maxelem == other.maxelem && timeout == other.timeout &&
           counters == other.counters && comment == other.comment && skbinfo == other.skbinfo &&
           netmask == other.netmask && bitmask == other.bitmask && markmask == other.markmask &&
           first == other.first && last == other.last;
}

}  // namespace nsr::sets
