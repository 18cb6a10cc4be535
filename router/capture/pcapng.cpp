#include "router/capture/pcapng.hpp"

#include <algorithm>

namespace nsr::router {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kObsoletePacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;

constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionComment = 1;
constexpr std::uint16_t kIfName = 2;
constexpr std::uint16_t kIfTsresol = 9;
constexpr std::uint16_t kIfTsoffset = 14;

constexpr std::uint32_t kMaxKnownBlock = 16 << 20;  // larger ones are no packets of ours
constexpr std::size_t kMaxInterfaces = 65536;
constexpr std::int64_t kNanoseconds = 1'000'000'000;  // of a second

constexpr std::size_t padded(std::size_t length) {
    return (length + 3) & ~std::size_t{3};
}

std::uint32_t load32le(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(p[0]) | static_cast<std::uint32_t>(p[1]) << 8 |
           static_cast<std::uint32_t>(p[2]) << 16 | static_cast<std::uint32_t>(p[3]) << 24;
}

std::uint32_t swapped(std::uint32_t v) {
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

// Of a part of a second. Wide numbers are slow, and few files need them.
std::int64_t nanoseconds_of(std::uint64_t ticks, std::uint64_t per_second) {
    if (per_second <= kNanoseconds) {
        return static_cast<std::int64_t>(ticks * kNanoseconds / per_second);
    }
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::int64_t>(Wide{ticks} * kNanoseconds / per_second);
}

}  // namespace

bool PcapngReader::next(Frame& frame) {
    Block block;
    while (error_.empty() && read_block(block)) {
        bool good = true;
        switch (block.type) {
            case kSectionHeader:
                good = section_header();
                break;
            case kInterfaceDescription:
                good = interface_description();
                break;
            case kEnhancedPacket:
                return enhanced_packet(frame);
            case kSimplePacket:
                return simple_packet(frame);
            case kObsoletePacket:
                return obsolete_packet(frame);
            default:
                break;
        }
        if (!good) {
            return false;
        }
    }
    return false;
}

// Shows the body of a block that matters in body_; the others are passed over.
bool PcapngReader::read_block(Block& block) {
    if (!read_header(block)) {
        return false;
    }
    constexpr std::size_t kTrailer = 4;
    const bool known = block.type == kSectionHeader || block.type == kInterfaceDescription ||
                       block.type == kEnhancedPacket || block.type == kSimplePacket ||
                       block.type == kObsoletePacket;
    if (known && block.body_length > kMaxKnownBlock) {
        return fail("a block of " + std::to_string(block.body_length) + " bytes is too large");
    }
    if (!known && !window_.skip(block.body_length)) {
        return fail("a block is cut short");
    }
    const std::size_t length = known ? block.body_length : 0;
    const std::span<const std::uint8_t> rest = window_.peek(length + kTrailer);
    if (rest.size() < length + kTrailer) {
        return fail("a block is cut short");
    }
    window_.advance(length + kTrailer);
    body_ = rest.first(length);
    const std::uint32_t total = load32le(rest.data() + length);
    if ((big_endian_ ? swapped(total) : total) != block.body_length + 12) {
        return fail("the two lengths of a block differ");
    }
    return true;
}

// False without error at the end of the file.
bool PcapngReader::read_header(Block& block) {
    constexpr std::size_t kHeader = 8;
    const std::span<const std::uint8_t> header = window_.peek(kHeader);
    if (header.size() < kHeader) {
        return !header.empty() && fail("a block is cut short");
    }
    block.type = load32le(header.data());
    const std::uint32_t raw_length = load32le(header.data() + 4);
    window_.advance(kHeader);
    if (block.type == kSectionHeader) {
        if (!begin_section()) {
            return false;
        }
    } else if (!in_section_) {
        return fail("this is no pcapng file");
    } else if (big_endian_) {
        block.type = swapped(block.type);
    }
    const std::uint32_t length = big_endian_ ? swapped(raw_length) : raw_length;
    if (length < (block.type == kSectionHeader ? 28 : 12) || length % 4 != 0) {
        return fail("a block has the impossible length " + std::to_string(length));
    }
    block.body_length = length - 12;
    return true;
}

// Its byte order is known before its length is.
bool PcapngReader::begin_section() {
    const std::span<const std::uint8_t> first = window_.peek(4);
    if (first.size() < 4) {
        return fail("a block is cut short");
    }
    const std::uint32_t magic = load32le(first.data());
    if (magic != kByteOrderMagic && swapped(magic) != kByteOrderMagic) {
        return fail("the byte-order magic of a section is wrong");
    }
    big_endian_ = magic != kByteOrderMagic;
    in_section_ = true;
    return true;
}

bool PcapngReader::section_header() {
    interfaces_.clear();
    const std::uint16_t major = u16(4);
    return major == 1 || fail("pcapng version " + std::to_string(major) + " is unknown");
}

bool PcapngReader::interface_description() {
    if (body_.size() < 8) {
        return fail("an interface description is too short");
    }
    if (interfaces_.size() >= kMaxInterfaces) {
        return fail("more than " + std::to_string(kMaxInterfaces) + " interfaces");
    }
    Interface interface;
    interface.link_type = u16(0);
    interface.snap_length = u32(4);
    for (std::size_t at = 8; at + 4 <= body_.size();) {
        const std::uint16_t code = u16(at);
        const std::size_t length = u16(at + 2);
        if (code == kOptionEnd) {
            break;
        }
        if (at + 4 + length > body_.size()) {
            return fail("an option of an interface description is cut short");
        }
        if (!interface_option(interface, code, at + 4, length)) {
            return false;
        }
        at += 4 + padded(length);
    }
    interfaces_.push_back(std::move(interface));
    return true;
}

bool PcapngReader::interface_option(Interface& interface, std::uint16_t code, std::size_t at,
                                    std::size_t length) {
    if (code == kIfName) {
        interface.name = text(at, length);
        interface.name.resize(std::min(interface.name.size(), interface.name.find('\0')));
    } else if (code == kIfTsresol && length >= 1) {
        const unsigned exponent = body_[at] & 0x7f;
        const bool binary = (body_[at] & 0x80) != 0;
        if (exponent > (binary ? 63 : 19)) {
            return fail("if_tsresol " + std::to_string(body_[at]) + " is beyond what fits");
        }
        interface.units_per_second = 1;
        for (unsigned i = 0; i < exponent; ++i) {
            interface.units_per_second *= binary ? 2 : 10;
        }
    } else if (code == kIfTsoffset && length >= 8) {
        interface.offset_seconds = static_cast<std::int64_t>(u64(at));
    }
    return true;
}

bool PcapngReader::enhanced_packet(Frame& frame) {
    if (body_.size() < 20) {
        return fail("a packet block is too short");
    }
    const std::uint64_t ticks = static_cast<std::uint64_t>(u32(4)) << 32 | u32(8);
    if (!packet(frame, u32(0), ticks, 12)) {
        return false;
    }
    frame.comment = comment_from(20 + padded(frame.bytes.size()));
    return true;
}

bool PcapngReader::obsolete_packet(Frame& frame) {
    if (body_.size() < 20) {
        return fail("a packet block is too short");
    }
    const std::uint64_t ticks = static_cast<std::uint64_t>(u32(4)) << 32 | u32(8);
    return packet(frame, u16(0), ticks, 12);
}

bool PcapngReader::packet(Frame& frame, std::uint32_t interface, std::uint64_t ticks,
                          std::size_t lengths_at) {
    if (interface >= interfaces_.size()) {
        return fail("interface " + std::to_string(interface) + " was never described");
    }
    const std::size_t captured = u32(lengths_at);
    frame.original_length = u32(lengths_at + 4);
    return time_of(interfaces_[interface], ticks) &&
           finish(frame, interfaces_[interface], lengths_at + 8, captured);
}

bool PcapngReader::simple_packet(Frame& frame) {
    if (body_.size() < 4 || interfaces_.empty()) {
        return fail(interfaces_.empty() ? "interface 0 was never described"
                                        : "a packet block is too short");
    }
    frame.original_length = u32(0);
    const std::uint32_t snap = interfaces_[0].snap_length;
    const std::size_t captured =
        snap == 0 ? frame.original_length : std::min(snap, frame.original_length);
    return finish(frame, interfaces_[0], 4, captured);
}

bool PcapngReader::finish(Frame& frame, const Interface& interface, std::size_t data_at,
                          std::size_t length) {
    if (length > body_.size() - data_at) {
        return fail("the packet claims " + std::to_string(length) + " bytes, its block has " +
                    std::to_string(body_.size() - data_at));
    }
    frame.bytes = body_.subspan(data_at, length);
    frame.time_ns = last_time_ns_;
    frame.interface = interface.name;
    frame.link_type = interface.link_type;
    frame.comment = {};
    frame.index = packets_++;
    return true;
}

std::string_view PcapngReader::text(std::size_t at, std::size_t length) const {
    return {reinterpret_cast<const char*>(body_.data() + at), length};
}

std::string_view PcapngReader::comment_from(std::size_t at) const {
    while (at + 4 <= body_.size() && u16(at) != kOptionEnd) {
        const std::size_t length = u16(at + 2);
        if (at + 4 + length > body_.size()) {
            break;
        }
        if (u16(at) == kOptionComment) {
            return text(at + 4, length);
        }
        at += 4 + padded(length);
    }
    return {};
}

bool PcapngReader::time_of(const Interface& interface, std::uint64_t ticks) {
    constexpr std::int64_t kMaxSeconds = 9'000'000'000;  // the year 2255; nanoseconds must fit
    const std::uint64_t seconds = ticks / interface.units_per_second;
    const std::uint64_t rest = ticks % interface.units_per_second;
    const std::int64_t offset = interface.offset_seconds;
    if (seconds > static_cast<std::uint64_t>(kMaxSeconds) || offset > kMaxSeconds ||
        offset < -kMaxSeconds) {
        return fail("its time is out of range");
    }
    const std::int64_t total = static_cast<std::int64_t>(seconds) + offset;
    if (total > kMaxSeconds || total < -kMaxSeconds) {
        return fail("its time is out of range");
    }
    last_time_ns_ = total * kNanoseconds + nanoseconds_of(rest, interface.units_per_second);
    return true;
}

bool PcapngReader::fail(std::string what) {
    error_ = "packet " + std::to_string(packets_) + ": " + std::move(what);
    return false;
}

std::uint16_t PcapngReader::u16(std::size_t at) const {
    const std::uint8_t* p = body_.data() + at;
    return static_cast<std::uint16_t>(big_endian_ ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

std::uint32_t PcapngReader::u32(std::size_t at) const {
    const std::uint32_t value = load32le(body_.data() + at);
    return big_endian_ ? swapped(value) : value;
}

std::uint64_t PcapngReader::u64(std::size_t at) const {
    const std::uint64_t first = u32(at);
    const std::uint64_t second = u32(at + 4);
    return big_endian_ ? first << 32 | second : second << 32 | first;
}

}  // namespace nsr::router
