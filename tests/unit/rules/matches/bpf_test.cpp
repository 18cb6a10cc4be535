// What instructions of BPF programs do: each program returns 1 if its instruction did as the
// kernel's does.
#include <algorithm>

#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

struct Program {
    std::string_view what;
    std::string_view code;  // without the number of instructions
};

// The packet: 10.0.0.2:5000 to 192.0.2.1:53, UDP with 10 bytes, 38 in all, mark 5.

const std::vector<Program> kPrograms = {
    {"a byte", "48 0 0 9,21 0 1 17,6 0 0 1,6 0 0 0"},
    {"half a word", "40 0 0 22,21 0 1 53,6 0 0 1,6 0 0 0"},
    {"a word", "32 0 0 12,21 0 1 167772162,6 0 0 1,6 0 0 0"},
    {"the length", "128 0 0 0,21 0 1 38,6 0 0 1,6 0 0 0"},
    {"the length, in X", "129 0 0 0,135 0 0 0,21 0 1 38,6 0 0 1,6 0 0 0"},
    {"behind the IP header", "177 0 0 0,72 0 0 2,21 0 1 53,6 0 0 1,6 0 0 0"},
    {"relative to the network header", "48 0 0 4293918729,21 0 1 17,6 0 0 1,6 0 0 0"},
    {"the mark", "32 0 0 4294963220,21 0 1 5,6 0 0 1,6 0 0 0"},
    {"the protocol of the link", "40 0 0 4294963200,21 0 1 2048,6 0 0 1,6 0 0 0"},
    {"where the payload begins", "32 0 0 4294963252,21 0 1 28,6 0 0 1,6 0 0 0"},
    {"memory", "0 0 0 7,2 0 0 3,0 0 0 0,96 0 0 3,21 0 1 7,6 0 0 1,6 0 0 0"},
    {"memory from X", "1 0 0 7,3 0 0 15,97 0 0 15,135 0 0 0,21 0 1 7,6 0 0 1,6 0 0 0"},
    {"add, subtract", "0 0 0 7,4 0 0 5,20 0 0 2,21 0 1 10,6 0 0 1,6 0 0 0"},
    {"multiply, divide", "0 0 0 7,36 0 0 6,52 0 0 4,21 0 1 10,6 0 0 1,6 0 0 0"},
    {"remainder", "0 0 0 17,148 0 0 5,21 0 1 2,6 0 0 1,6 0 0 0"},
    {"and, or, xor", "0 0 0 12,84 0 0 10,68 0 0 1,164 0 0 3,21 0 1 10,6 0 0 1,6 0 0 0"},
    {"shifts", "0 0 0 3,100 0 0 4,116 0 0 2,21 0 1 12,6 0 0 1,6 0 0 0"},
    {"a shift by X counts five bits", "0 0 0 3,1 0 0 33,108 0 0 0,21 0 1 6,6 0 0 1,6 0 0 0"},
    {"negation", "0 0 0 1,132 0 0 0,21 0 1 4294967295,6 0 0 1,6 0 0 0"},
    {"jump", "5 0 0 1,6 0 0 0,6 0 0 1"},
    {"greater", "0 0 0 7,37 0 1 6,6 0 0 1,6 0 0 0"},
    {"greater or equal X", "0 0 0 7,1 0 0 7,61 0 1 0,6 0 0 1,6 0 0 0"},
    {"a bit is set", "0 0 0 6,69 0 1 2,6 0 0 1,6 0 0 0"},
    {"returns A", "0 0 0 9,22 0 0 0"},
};

// They end with 0 before they come to return 1.
const std::vector<Program> kEnded = {
    {"a byte beyond the packet", "48 0 0 38,6 0 0 1"},
    {"a word that does not lie within it", "32 0 0 36,6 0 0 1"},
    {"an offset that wraps around", "1 0 0 4294967290,64 0 0 5,6 0 0 1"},
    {"division by an X of 0", "0 0 0 7,60 0 0 0,6 0 0 1"},
    {"remainder by an X of 0", "0 0 0 7,156 0 0 0,6 0 0 1"},
};

bool matches(std::string_view code) {
    const auto instructions = std::count(code.begin(), code.end(), ',') + 1;
    Firewall box(forward("-A FORWARD -m bpf --bytecode \"" + std::to_string(instructions) + "," +
                         std::string(code) + "\" -j DROP"));
    Packet shown = box.packet(udp("10.0.0.2:5000", "192.0.2.1:53").payload(10));
    shown.meta.mark = 5;
    return box.run(shown).verdict == rules::TargetVerdict::Drop;
}

}  // namespace

TEST_CASE("each instruction of BPF does what the kernel's does") {
    for (const Program& program : kPrograms) {
        CAPTURE(program.what);
        CHECK(matches(program.code));
    }
}

TEST_CASE("a BPF program ends with 0 where it cannot go on") {
    for (const Program& program : kEnded) {
        CAPTURE(program.what);
        CHECK(!matches(program.code));
    }
}
