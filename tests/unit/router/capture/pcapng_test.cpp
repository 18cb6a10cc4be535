#include "router/capture/pcapng.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "router/capture/capture.hpp"
#include "tests/support/kept_frames.hpp"

namespace nsr::router {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Writes blocks by hand, in either byte order.
class Blocks {
  public:
    explicit Blocks(bool big_endian = false) : big_(big_endian) {}

    std::string text;

    Blocks& u16(std::uint16_t value) {
        const char low = static_cast<char>(value & 0xff);
        const char high = static_cast<char>(value >> 8);
        body_ += big_ ? std::string{high, low} : std::string{low, high};
        return *this;
    }
    Blocks& u32(std::uint32_t value) {
        const auto low = static_cast<std::uint16_t>(value & 0xffff);
        const auto high = static_cast<std::uint16_t>(value >> 16);
        return big_ ? u16(high).u16(low) : u16(low).u16(high);
    }
    Blocks& u64(std::uint64_t value) {
        const auto low = static_cast<std::uint32_t>(value);
        const auto high = static_cast<std::uint32_t>(value >> 32);
        return big_ ? u32(high).u32(low) : u32(low).u32(high);
    }
    Blocks& bytes(std::string_view data) {
        body_ += data;
        body_.append((4 - data.size() % 4) % 4, '\0');
        return *this;
    }
    Blocks& option(std::uint16_t code, std::string_view value) {
        return u16(code).u16(static_cast<std::uint16_t>(value.size())).bytes(value);
    }
    Blocks& block(std::uint32_t type) {
        const std::string body = std::move(body_);
        body_.clear();
        const auto length = static_cast<std::uint32_t>(body.size() + 12);
        u32(type).u32(length);
        text += body_ + body;
        body_.clear();
        u32(length);
        text += body_;
        body_.clear();
        return *this;
    }
    Blocks& section() {
        return u32(0x1a2b3c4d).u16(1).u16(0).u64(~std::uint64_t{0}).block(0x0a0d0d0a);
    }
    Blocks& interface(std::string_view name, std::uint32_t snap = 0) {
        return u16(101).u16(0).u32(snap).option(2, name).u32(0).block(1);
    }
    Blocks& enhanced(std::uint32_t interface, std::uint64_t ticks, std::string_view data) {
        const auto length = static_cast<std::uint32_t>(data.size());
        u32(interface).u32(static_cast<std::uint32_t>(ticks >> 32));
        return u32(static_cast<std::uint32_t>(ticks)).u32(length).u32(length).bytes(data).block(6);
    }

  private:
    bool big_;
    std::string body_;
};

struct Read {
    std::vector<test::KeptFrame> frames;
    std::string error;
};

Read read_all(const std::string& text) {
    std::istringstream in(text);
    PcapngReader reader(in);
    std::vector<test::KeptFrame> frames = test::kept_frames(reader);
    return {std::move(frames), reader.error()};
}

std::string as_text(const Bytes& bytes) {
    return {bytes.begin(), bytes.end()};
}

std::string written_example() {
    std::ostringstream out;
    PcapngWriter writer(out, {"lan", "wan0"});
    writer.packet(5'000'000, 0, Bytes{0x45, 1, 2}, "in=0");
    writer.packet(1'700'000'000'123'456'789, 1, Bytes{0x60, 1, 2, 3}, "");
    writer.packet(0, 1, Bytes{}, "timer");
    return out.str();
}

}  // namespace

TEST_CASE("what is written is read back: interface, time to the microsecond, bytes, comment") {
    const Read read = read_all(written_example());
    CHECK(read.error == "");
    REQUIRE(read.frames.size() == 3);
    CHECK(read.frames[0].interface == "lan");
    CHECK(read.frames[0].time_ns == 5'000'000);
    CHECK(read.frames[0].bytes == Bytes{0x45, 1, 2});
    CHECK(read.frames[0].comment == "in=0");
    CHECK(read.frames[0].link_type == 101);
    CHECK(read.frames[1].interface == "wan0");
    CHECK(read.frames[1].time_ns == 1'700'000'000'123'457'000);
    CHECK(read.frames[1].comment == "");
    CHECK(read.frames[2].index == 2);
    CHECK(read.frames[2].bytes.empty());
}

TEST_CASE("a file cut at any byte gives the packets before the cut, then an error or a clean end") {
    const std::string whole = written_example();
    std::vector<std::size_t> ends = {0};  // where blocks end
    for (std::size_t at = 0; at < whole.size();) {
        at += static_cast<unsigned char>(whole[at + 4]);
        ends.push_back(at);
    }
    REQUIRE(ends.back() == whole.size());
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        CAPTURE(cut);
        const Read read = read_all(whole.substr(0, cut));
        const auto complete = static_cast<std::size_t>(
            std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin() - 1);
        const bool at_boundary = ends[complete] == cut;
        CHECK(read.frames.size() == (complete > 3 ? complete - 3 : 0));
        CHECK(read.error.empty() == at_boundary);
        if (!at_boundary) {
            CHECK(read.error.starts_with("packet " + std::to_string(read.frames.size()) + ": "));
        }
    }
}

TEST_CASE("no damage to a byte crashes the reader") {
    const std::string whole = written_example();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const char value : {'\0', '\x01', '\x7f', '\xff'}) {
            std::string damaged = whole;
            damaged[at] = value;
            CHECK(read_all(damaged).frames.size() <= 3);
        }
    }
}

TEST_CASE("both byte orders, simple and obsolete blocks, unknown blocks and several sections") {
    for (const bool big : {false, true}) {
        CAPTURE(big);
        Blocks file(big);
        file.section().interface("a", 4).interface("b");
        file.u32(0x12345678).block(0x0bad);    // unknown
        file.enhanced(1, 2'500'000, "ABCDE");  // 2.5 s
        file.u32(6).bytes("wxyz").block(3);    // simple, cut to the snap length
        file.u16(0).u16(9).u64(big ? 7
                                   : std::uint64_t{7} << 32);  // obsolete; two words, high first
        file.u32(2).u32(60).bytes("OK").block(2);
        file.section().interface("c").enhanced(0, 1, "Z");
        const Read read = read_all(file.text);
        CHECK(read.error == "");
        REQUIRE(read.frames.size() == 4);
        CHECK(read.frames[0].interface == "b");
        CHECK(read.frames[0].time_ns == 2'500'000'000);
        CHECK(as_text(read.frames[0].bytes) == "ABCDE");
        CHECK(as_text(read.frames[1].bytes) == "wxyz");
        CHECK(read.frames[1].original_length == 6);
        CHECK(read.frames[1].time_ns == 2'500'000'000);
        CHECK(read.frames[2].time_ns == 7'000);
        CHECK(read.frames[2].original_length == 60);
        CHECK(as_text(read.frames[2].bytes) == "OK");
        CHECK(read.frames[3].interface == "c");
        CHECK(read.frames[3].index == 3);
    }
}

TEST_CASE("sections of different byte order may follow each other") {
    Blocks little;
    little.section().interface("a").enhanced(0, 1, "L");
    Blocks big(true);
    big.section().interface("b").enhanced(0, 2, "B");
    const Read read = read_all(little.text + big.text);
    CHECK(read.error == "");
    REQUIRE(read.frames.size() == 2);
    CHECK(read.frames[1].interface == "b");
    CHECK(read.frames[1].time_ns == 2000);
}

TEST_CASE("time stamps of any resolution and offset") {
    const auto time_of = [](std::string_view resolution, std::uint64_t offset,
                            std::uint64_t ticks) {
        Blocks file;
        file.section().u16(101).u16(0).u32(0).option(9, resolution);
        file.u16(14).u16(8).u64(offset).u32(0).block(1);
        file.enhanced(0, ticks, "x");
        const Read read = read_all(file.text);
        CHECK(read.error == "");
        return read.frames.empty() ? -1 : read.frames[0].time_ns;
    };
    CHECK(time_of("\x09", 0, 1'234'567'890) == 1'234'567'890);
    CHECK(time_of(std::string_view("\0", 1), 0, 3) == 3'000'000'000);
    CHECK(time_of("\x0c", 0, 1'500'000'000'000) == 1'500'000'000);
    CHECK(time_of("\x8a", 0, 1536) == 1'500'000'000);  // 2^-10
    CHECK(time_of("\x06", 100, 1'000'000) == 101'000'000'000);
    CHECK(time_of("\x06", static_cast<std::uint64_t>(-1), 3'000'000) == 2'000'000'000);
}

TEST_CASE("contradictions are named with the packet they hit") {
    const auto error_of = [](Blocks& file) { return read_all(file.text).error; };
    Blocks unknown_interface;
    unknown_interface.section().interface("a").enhanced(0, 1, "x").enhanced(7, 2, "y");
    CHECK(error_of(unknown_interface) == "packet 1: interface 7 was never described");
    Blocks too_long;
    too_long.section().interface("a").u32(0).u32(0).u32(0).u32(99).u32(99).bytes("x").block(6);
    CHECK(error_of(too_long) == "packet 0: the packet claims 99 bytes, its block has 4");
    Blocks resolution;
    resolution.section().u16(101).u16(0).u32(0).option(9, "\x7f").u32(0).block(1);
    CHECK(error_of(resolution).find("if_tsresol") != std::string::npos);
    CHECK(read_all("not a capture at all").error == "packet 0: this is no pcapng file");
}

TEST_CASE("link headers are taken off; what carries no IP is passed over") {
    const auto offset = [](std::uint32_t type, const Bytes& frame) {
        const Unwrapped inner = unwrap(type, frame);
        CHECK(inner.error == "");
        return inner.ip_offset ? static_cast<int>(*inner.ip_offset) : -1;
    };
    Bytes ethernet(12, 0);
    ethernet.insert(ethernet.end(), {0x08, 0x00, 0x45});
    CHECK(offset(1, ethernet) == 14);
    Bytes vlan(12, 0);
    vlan.insert(vlan.end(), {0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x86, 0xdd, 0x60});
    CHECK(offset(1, vlan) == 22);
    Bytes arp(12, 0);
    arp.insert(arp.end(), {0x08, 0x06, 0});
    CHECK(offset(1, arp) == -1);
    CHECK(offset(1, Bytes(13, 0)) == -1);
    Bytes sll(14, 0);
    sll.insert(sll.end(), {0x86, 0xdd, 0x60});
    CHECK(offset(113, sll) == 16);
    Bytes sll2 = {0x08, 0x00};
    sll2.resize(20);
    CHECK(offset(276, sll2) == 20);
    CHECK(offset(0, {2, 0, 0, 0, 0x45}) == 4);
    CHECK(offset(0, {0, 0, 0, 30, 0x60}) == 4);
    CHECK(offset(108, {0, 0, 0, 7}) == -1);
    CHECK(offset(228, {0x45}) == 0);
    CHECK(unwrap(1, arp).content == "ARP");
    CHECK(unwrap(1, Bytes(13, 0)).content == "cut short");
    CHECK(unwrap(1, Bytes(14, 0)).content == "802.2");
    vlan[20] = 0x88;
    vlan[21] = 0x64;
    CHECK(unwrap(1, vlan).content == "ethertype 0x8864");
    CHECK(unwrap(105, Bytes{1}).error.find("IEEE802_11") != std::string::npos);
}

TEST_CASE("a filter sees frames as captured and counts what it holds back") {
    std::ostringstream out;
    PcapngWriter writer(out, {"lan"});
    Bytes udp = {0x45, 0, 0,  28, 0, 0, 0, 0,  64, 17, 0, 0, 10, 0,
                 0,    1, 10, 0,  0, 2, 0, 53, 0,  99, 0, 8, 0,  0};
    writer.packet(0, 0, udp, "");
    udp[21] = 54;
    writer.packet(0, 0, udp, "");
    std::istringstream in(out.str());
    const auto capture = capture_from(in, "udp src port 54");
    Frame frame;
    REQUIRE(capture->next(frame));
    CHECK(frame.index == 1);
    CHECK_FALSE(capture->next(frame));
    CHECK(capture->error() == "");
    CHECK(capture->filtered() == 1);

    std::istringstream again(out.str());
    const auto wrong = capture_from(again, "port eleventy");
    CHECK_FALSE(wrong->next(frame));
    CHECK(wrong->error().find("filter \"port eleventy\"") != std::string::npos);
}

}  // namespace nsr::router
