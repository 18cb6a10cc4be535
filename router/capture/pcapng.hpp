// pcapng, read and written packet by packet: memory does not grow with the file.
//
// Theory of operation
//   A file is a run of blocks: type, length, body, length again. A section header fixes the byte
//   order for what follows and forgets the interfaces before it; interface descriptions are counted
//   from 0; packets name their interface. Read: Enhanced, Simple and the obsolete Packet Blocks,
//   either byte order, any if_tsresol and if_tsoffset, several sections; all other blocks are
//   skipped. A Simple Packet Block has no time: it gets that of the packet before it. What is cut
//   short or contradicts itself ends the reading with an error that names the packet; all packets
//   before it have been delivered. Written: little endian, one section, raw IP, microseconds.
// draft-ietf-opsawg-pcapng
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/capture/byte_window.hpp"

namespace nsr::router {

// One captured frame, whatever the file format. What it refers to lies in its source, until that is
// asked for the next one.
struct Frame {
    std::uint32_t index = 0;     // in the file, from 0
    std::int64_t time_ns = 0;    // since 1970
    std::string_view interface;  // empty: the file does not say
    std::uint32_t link_type = 0;
    std::uint32_t original_length = 0;
    std::span<const std::uint8_t> bytes;
    std::string_view comment;  // pcapng opt_comment of an Enhanced Packet Block
};

class FrameSource {
  public:
    virtual ~FrameSource() = default;
    // False at the end and at an error.
    virtual bool next(Frame& frame) = 0;
    // Empty unless reading ended with an error.
    [[nodiscard]] virtual const std::string& error() const = 0;
};

class PcapngReader : public FrameSource {
  public:
    explicit PcapngReader(std::istream& in) : window_(in) {}

    bool next(Frame& frame) override;
    [[nodiscard]] const std::string& error() const override { return error_; }

  private:
    struct Interface {
        std::string name;
        std::uint32_t link_type = 0;
        std::uint32_t snap_length = 0;
        std::uint64_t units_per_second = 1000000;
        std::int64_t offset_seconds = 0;
    };
    struct Block {
        std::uint32_t type = 0;
        std::uint32_t body_length = 0;
    };

    bool read_block(Block& block);
    bool read_header(Block& block);
    bool begin_section();
    bool section_header();
    bool interface_description();
    bool interface_option(Interface& interface, std::uint16_t code, std::size_t at,
                          std::size_t length);
    bool enhanced_packet(Frame& frame);
    bool simple_packet(Frame& frame);
    bool obsolete_packet(Frame& frame);
    bool packet(Frame& frame, std::uint32_t interface, std::uint64_t ticks, std::size_t lengths_at);
    bool finish(Frame& frame, const Interface& interface, std::size_t data_at, std::size_t length);
    [[nodiscard]] std::string_view text(std::size_t at, std::size_t length) const;
    [[nodiscard]] std::string_view comment_from(std::size_t at) const;
    bool time_of(const Interface& interface, std::uint64_t ticks);
    bool fail(std::string what);

    [[nodiscard]] std::uint16_t u16(std::size_t at) const;
    [[nodiscard]] std::uint32_t u32(std::size_t at) const;
    [[nodiscard]] std::uint64_t u64(std::size_t at) const;

    ByteWindow window_;
    bool in_section_ = false;
    bool big_endian_ = false;
    std::vector<Interface> interfaces_;
    std::span<const std::uint8_t> body_;  // of the block at hand
    std::uint32_t packets_ = 0;
    std::int64_t last_time_ns_ = 0;
    std::string error_;
};

class PcapngWriter {
  public:
    // Writes the section header and an interface description for each name.
    PcapngWriter(std::ostream& out, const std::vector<std::string>& interfaces);

    // Another one that packets may name from here on, by the next number.
    void add_interface(const std::string& name);

    void packet(std::int64_t time_ns, std::uint32_t interface, std::span<const std::uint8_t> bytes,
                std::string_view comment);

    enum class Way : std::uint8_t { Unknown, In, Out };
    // What a packet has beside its bytes.
    struct Note {
        std::string_view comment;
        Way way = Way::Unknown;
        std::uint64_t id = 0;      // epb_packetid: the same for what is the same packet; 0: none
        std::uint32_t length = 0;  // of the packet, if bytes are cut off; 0: they are not
    };
    void packet(std::int64_t time_ns, std::uint32_t interface, std::span<const std::uint8_t> bytes,
                const Note& note);
    // False once the stream refused something.
    [[nodiscard]] bool good() const { return out_.good(); }

  private:
    char* begin_block(std::size_t variable_bytes);
    void end_block(char* end);

    std::ostream& out_;
    std::string block_;  // the one at hand, and room that is kept
};

}  // namespace nsr::router
