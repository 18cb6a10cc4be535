// pcapng as it is written; see pcapng.hpp.
#include <algorithm>

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

constexpr std::size_t kMostText = 0xfff0;  // of an option

constexpr std::size_t padded(std::size_t length) {
    return (length + 3) & ~std::size_t{3};
}

// All of these give where they ended; there is room.
char* put_word(char* at, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
        *at++ = static_cast<char>(value >> shift & 0xff);
    }
    return at;
}

template <std::size_t kCount>
char* put_words(char* at, const std::uint32_t (&words)[kCount]) {
    for (const std::uint32_t word : words) {
        at = put_word(at, word);
    }
    return at;
}

char* put_padded(char* at, std::string_view bytes) {
    at = std::copy_n(bytes.data(), bytes.size(), at);
    return std::fill_n(at, padded(bytes.size()) - bytes.size(), '\0');
}

char* put_option(char* at, std::uint16_t code, std::string_view value) {
    at = put_word(at, code | static_cast<std::uint32_t>(value.size()) << 16);
    return put_padded(at, value);
}

char* put_note(char* at, const PcapngWriter::Note& note) {
    const char* begin = at;
    if (!note.comment.empty()) {
        at = put_option(at, kOptionComment, note.comment.substr(0, kMostText));
    }
    if (note.way != PcapngWriter::Way::Unknown) {
        at = put_word(at, kPacketFlags | 4 << 16);
        at = put_word(at, static_cast<std::uint32_t>(note.way));
    }
    if (note.id != 0) {
        at = put_word(at, kPacketId | 8 << 16);
        at = put_words(
            at, {static_cast<std::uint32_t>(note.id), static_cast<std::uint32_t>(note.id >> 32)});
    }
    return at == begin ? at : put_option(at, kOptionEnd, "");
}

}  // namespace

PcapngWriter::PcapngWriter(std::ostream& out, const std::vector<std::string>& interfaces)
    : out_(out) {
    constexpr std::uint32_t kVersion = 1;
    constexpr std::uint32_t kUnknownLength = 0xffffffff;
    end_block(put_words(begin_block(0), {kSectionHeader, 0, kByteOrderMagic, kVersion,
                                         kUnknownLength, kUnknownLength}));
    for (const std::string& name : interfaces) {
        add_interface(name);
    }
}

void PcapngWriter::add_interface(const std::string& name) {
    constexpr std::uint32_t kNoSnapLength = 0;
    const std::string_view text = std::string_view(name).substr(0, kMostText);
    char* at = begin_block(text.size());
    at = put_words(at, {kInterfaceDescription, 0, kLinkTypeRaw, kNoSnapLength});
    at = put_option(at, kIfName, text);
    at = put_option(at, kIfTsresol, "\x06");
    end_block(put_option(at, kOptionEnd, ""));
}

void PcapngWriter::packet(std::int64_t time_ns, std::uint32_t interface,
                          std::span<const std::uint8_t> bytes, std::string_view comment) {
    packet(time_ns, interface, bytes, Note{.comment = comment});
}

void PcapngWriter::packet(std::int64_t time_ns, std::uint32_t interface,
                          std::span<const std::uint8_t> bytes, const Note& note) {
    const auto microseconds = static_cast<std::uint64_t>((time_ns + 500) / 1000);
    const auto length = static_cast<std::uint32_t>(bytes.size());
    char* at = begin_block(bytes.size() + note.comment.size());
    at = put_words(at,
                   {kEnhancedPacket, 0, interface, static_cast<std::uint32_t>(microseconds >> 32),
                    static_cast<std::uint32_t>(microseconds), length,
                    note.length != 0 ? note.length : length});
    at = put_padded(at, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    end_block(put_note(at, note));
}

// Room for a block with so many bytes of packet and text, which is more than enough for what else
// it has.
char* PcapngWriter::begin_block(std::size_t variable_bytes) {
    constexpr std::size_t kFixedBytes = 128;
    if (block_.size() < variable_bytes + kFixedBytes) {
        block_.resize(variable_bytes + kFixedBytes);
    }
    return block_.data();
}

// The length stands at both ends of a block.
void PcapngWriter::end_block(char* end) {
    const auto length = static_cast<std::uint32_t>(end + 4 - block_.data());
    put_word(block_.data() + 4, length);
    put_word(end, length);
    out_.write(block_.data(), static_cast<std::streamsize>(length));
}

}  // namespace nsr::router
