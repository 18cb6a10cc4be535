// What the kernel wrote about odd packets, and what LOG writes about them.
//
// log_lines.txt was recorded from a kernel in whose raw table the rules below stood, the packets
// coming in from a TUN device: whole and cut short, fragments, options, extension headers, quotes
// of ICMP errors, with the reserved bit and lengths that are none. Behind each packet are the lines
// that look like none before them, each from the last letter of its prefix on.
#include <fstream>

#include "core/rules/action_param.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr std::string_view kRules =
    "*raw\n"
    "-A PREROUTING -j LOG --log-prefix \"RULa \"\n"
    "-A PREROUTING -j MARK --set-mark 0x1f\n"
    "-A PREROUTING -j LOG --log-prefix \"RULb \" --log-tcp-options --log-ip-options"
    " --log-tcp-sequence --log-uid --log-macdecode\n"
    "-A PREROUTING -j LOG --log-prefix \"RULc \" --log-ip-options\n"
    "-A PREROUTING -j LOG --log-prefix \"RULd \" --log-tcp-options\n"
    "-A PREROUTING -j LOG --log-prefix \"RULe \" --log-tcp-sequence\n"
    "COMMIT\n";

std::vector<std::uint8_t> from_hex(std::string_view text) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

// The line whose prefix ends in that letter, from there on.
std::string line_of(const LogLines& log, char prefix) {
    for (const std::string& line : log.lines) {
        if (line[3] == prefix) {
            return line.substr(3);
        }
    }
    return {};
}

}  // namespace

TEST_CASE("LOG writes what the kernel writes, to the letter") {
    std::ifstream file(NSR_SOURCE_DIR "/tests/unit/rules/targets/log_lines.txt");
    REQUIRE(file.good());
    Firewall v4(kRules);
    Firewall v6(kRules, Family::Ipv6);
    LogLines* log = nullptr;
    std::string packet_text;
    std::size_t compared = 0;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("packet ")) {
            CAPTURE(packet_text);
            CHECK(line_of(*log, line[0]) == line);
            ++compared;
            continue;
        }
        packet_text = line.substr(7);
        Firewall& box = packet_text[0] == '4' ? v4 : v6;
        log = &box.log;
        log->lines.clear();
        Packet shown(box.pool, from_hex(packet_text));
        CAPTURE(packet_text);
        REQUIRE(dissect(shown).accepted());
        shown.meta.in = kLan;
        CHECK(box.run(shown, rules::TableId::Raw, Hook::Prerouting).verdict ==
              rules::TargetVerdict::Accept);
    }
    CHECK(compared > 300);
}
