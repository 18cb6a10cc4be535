#include "router/capture/pcapng.hpp"

#include <algorithm>
#include <array>

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

// Leaves the body of a block that matters in body_; the others are read over.
bool PcapngReader::read_block(Block& block) {
    if (!read_header(block)) {
        return false;
    }
    const bool known = block.type == kSectionHeader || block.type == kInterfaceDescription ||
                       block.type == kEnhancedPacket || block.type == kSimplePacket ||
                       block.type == kObsoletePacket;
    // What read_header has already taken of a section header.
    const std::size_t have = block.type == kSectionHeader ? 4 : 0;
    if (!known) {
        body_.clear();
        if (!skip(block.body_length)) {
            return fail("a block is cut short");
        }
    } else if (block.body_length > kMaxKnownBlock) {
        return fail("a block of " + std::to_string(block.body_length) + " bytes is too large");
    } else {
        body_.resize(block.body_length);
        in_.read(reinterpret_cast<char*>(body_.data() + have),
                 static_cast<std::streamsize>(block.body_length - have));
        if (static_cast<std::size_t>(in_.gcount()) != block.body_length - have) {
            return fail("a block is cut short");
        }
    }
    std::array<std::uint8_t, 4> trailer{};
    in_.read(reinterpret_cast<char*>(trailer.data()), trailer.size());
    if (in_.gcount() != 4) {
        return fail("a block is cut short");
    }
    const std::uint32_t length = load32le(trailer.data());
    if ((big_endian_ ? swapped(length) : length) != block.body_length + 12) {
        return fail("the two lengths of a block differ");
    }
    return true;
}

// False without error at the end of the file.
bool PcapngReader::read_header(Block& block) {
    std::array<std::uint8_t, 12> header{};
    in_.read(reinterpret_cast<char*>(header.data()), 8);
    if (in_.gcount() == 0) {
        return false;
    }
    if (in_.gcount() != 8) {
        return fail("a block is cut short");
    }
    block.type = load32le(header.data());
    if (block.type == kSectionHeader) {
        in_.read(reinterpret_cast<char*>(header.data() + 8), 4);
        const std::uint32_t magic = load32le(header.data() + 8);
        if (in_.gcount() != 4) {
            return fail("a block is cut short");
        }
        if (magic != kByteOrderMagic && swapped(magic) != kByteOrderMagic) {
            return fail("the byte-order magic of a section is wrong");
        }
        big_endian_ = magic != kByteOrderMagic;
        body_.assign(header.begin() + 8, header.end());
        in_section_ = true;
    } else if (!in_section_) {
        return fail("this is no pcapng file");
    } else if (big_endian_) {
        block.type = swapped(block.type);
    }
    const std::uint32_t raw_length = load32le(header.data() + 4);
    const std::uint32_t length = big_endian_ ? swapped(raw_length) : raw_length;
    if (length < (block.type == kSectionHeader ? 28 : 12) || length % 4 != 0) {
        return fail("a block has the impossible length " + std::to_string(length));
    }
    block.body_length = length - 12;
    return true;
}

bool PcapngReader::skip(std::uint32_t bytes) {
    in_.ignore(static_cast<std::streamsize>(bytes));
    return static_cast<std::uint32_t>(in_.gcount()) == bytes;
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
        interface.name.assign(body_.begin() + static_cast<std::ptrdiff_t>(at),
                              body_.begin() + static_cast<std::ptrdiff_t>(at + length));
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
    const auto begin = body_.begin() + static_cast<std::ptrdiff_t>(data_at);
    frame.bytes.assign(begin, begin + static_cast<std::ptrdiff_t>(length));
    frame.time_ns = last_time_ns_;
    frame.interface = interface.name;
    frame.link_type = interface.link_type;
    frame.comment.clear();
    frame.index = packets_++;
    return true;
}

std::string PcapngReader::comment_from(std::size_t at) const {
    while (at + 4 <= body_.size() && u16(at) != kOptionEnd) {
        const std::size_t length = u16(at + 2);
        if (at + 4 + length > body_.size()) {
            break;
        }
        if (u16(at) == kOptionComment) {
            const auto begin = body_.begin() + static_cast<std::ptrdiff_t>(at + 4);
            return {begin, begin + static_cast<std::ptrdiff_t>(length)};
        }
        at += 4 + padded(length);
    }
    return "";
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
    __extension__ using Wide = unsigned __int128;
    const auto nanoseconds =
        static_cast<std::int64_t>(Wide{rest} * 1'000'000'000 / interface.units_per_second);
    last_time_ns_ = total * 1'000'000'000 + nanoseconds;
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
