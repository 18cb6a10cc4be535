// pcapng as it is written; see pcapng.hpp.
#include "router/capture/pcapng.hpp"

namespace nsr::router {

namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kLinkTypeRaw = 101;

constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionComment = 1;
constexpr std::uint16_t kIfName = 2;
constexpr std::uint16_t kIfTsresol = 9;
constexpr std::uint16_t kPacketFlags = 2;  // 1 in its last bits: inbound, 2: outbound
constexpr std::uint16_t kPacketId = 5;

constexpr std::size_t padded(std::size_t length) {
    return (length + 3) & ~std::size_t{3};
}

void put16(std::string& out, std::uint16_t value) {
    out += static_cast<char>(value & 0xff);
    out += static_cast<char>(value >> 8);
}

void put32(std::string& out, std::uint32_t value) {
    put16(out, static_cast<std::uint16_t>(value & 0xffff));
    put16(out, static_cast<std::uint16_t>(value >> 16));
}

void put_padded(std::string& out, std::string_view bytes) {
    out.append(bytes);
    out.append(padded(bytes.size()) - bytes.size(), '\0');
}

void put_option(std::string& out, std::uint16_t code, std::string_view value) {
    put16(out, code);
    put16(out, static_cast<std::uint16_t>(value.size()));
    put_padded(out, value);
}

void put_note(std::string& out, const PcapngWriter::Note& note) {
    constexpr std::size_t kMostText = 0xfff0;
    const bool any =
        !note.comment.empty() || note.way != PcapngWriter::Way::Unknown || note.id != 0;
    if (!note.comment.empty()) {
        put_option(out, kOptionComment, note.comment.substr(0, kMostText));
    }
    if (note.way != PcapngWriter::Way::Unknown) {
        std::string flags;
        put32(flags, static_cast<std::uint32_t>(note.way));
        put_option(out, kPacketFlags, flags);
    }
    if (note.id != 0) {
        std::string id;
        put32(id, static_cast<std::uint32_t>(note.id));
        put32(id, static_cast<std::uint32_t>(note.id >> 32));
        put_option(out, kPacketId, id);
    }
    if (any) {
        put_option(out, kOptionEnd, "");
    }
}

void begin_block(std::string& out, std::uint32_t type) {
    out.clear();
    put32(out, type);
    put32(out, 0);
}

// The length stands at both ends of a block.
void end_block(std::string& out) {
    const auto length = static_cast<std::uint32_t>(out.size() + 4);
    std::string text;
    put32(text, length);
    out.replace(4, 4, text);
    out += text;
}

}  // namespace

PcapngWriter::PcapngWriter(std::ostream& out, const std::vector<std::string>& interfaces)
    : out_(out) {
    begin_block(block_, kSectionHeader);
    put32(block_, kByteOrderMagic);
    put16(block_, 1);
    put16(block_, 0);
    put32(block_, 0xffffffff);
    put32(block_, 0xffffffff);
    end_block(block_);
    out_.write(block_.data(), static_cast<std::streamsize>(block_.size()));
    for (const std::string& name : interfaces) {
        add_interface(name);
    }
}

void PcapngWriter::add_interface(const std::string& name) {
    begin_block(block_, kInterfaceDescription);
    put16(block_, static_cast<std::uint16_t>(kLinkTypeRaw));
    put16(block_, 0);
    put32(block_, 0);
    put_option(block_, kIfName, name);
    put_option(block_, kIfTsresol, "\x06");
    put_option(block_, kOptionEnd, "");
    end_block(block_);
    out_.write(block_.data(), static_cast<std::streamsize>(block_.size()));
}

void PcapngWriter::packet(std::int64_t time_ns, std::uint32_t interface,
                          std::span<const std::uint8_t> bytes, std::string_view comment) {
    packet(time_ns, interface, bytes, Note{.comment = comment});
}

void PcapngWriter::packet(std::int64_t time_ns, std::uint32_t interface,
                          std::span<const std::uint8_t> bytes, const Note& note) {
    const auto microseconds = static_cast<std::uint64_t>((time_ns + 500) / 1000);
    const auto length = static_cast<std::uint32_t>(bytes.size());
    begin_block(block_, kEnhancedPacket);
    put32(block_, interface);
    put32(block_, static_cast<std::uint32_t>(microseconds >> 32));
    put32(block_, static_cast<std::uint32_t>(microseconds));
    put32(block_, length);
    put32(block_, note.length != 0 ? note.length : length);
    put_padded(block_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    put_note(block_, note);
    end_block(block_);
    out_.write(block_.data(), static_cast<std::streamsize>(block_.size()));
}

}  // namespace nsr::router
