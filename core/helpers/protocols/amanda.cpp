// Amanda: a backup client's answer names the ports for its data. kernel: nf_conntrack_amanda.c,
// nf_nat_amanda.c
#include <array>

#include "core/helpers/protocols/protocols.hpp"

namespace nsr::helpers {

namespace {

constexpr std::uint32_t kMasterSeconds = 300;  // answers of clients may take long
constexpr std::size_t kPortDigits = 5;
constexpr std::array<std::string_view, 4> kStreams = {"DATA ", "MESG ", "INDEX ", "STATE "};

Verdict expect_stream(Call& call, std::size_t offset, const Number& port) {
    const conntrack::Tuple original = call.tuple(Direction::Original);
    const conntrack::Expectation expectation =
        conntrack::expect(call.id(), {.protocol = proto::kTcp,
                                      .source = original.source,
                                      .destination = original.destination,
                                      .destination_port = static_cast<Port>(port.value)});
    if (!call.translated()) {
        return call.expect(expectation);
    }
    return call.expect_and_mangle(expectation, Direction::Original, offset, port.length,
                                  [](Port chosen) { return std::to_string(chosen); });
}

}  // namespace

Verdict help_amanda(Call& call) {
    constexpr std::string_view kConnect = "CONNECT ";
    if (call.direction() == Direction::Original) {
        return Verdict::accept();
    }
    call.conntrack.refresh(call.id(), kMasterSeconds, call.now);
    const std::size_t connect = call.payload().find(kConnect);
    if (connect == std::string_view::npos) {
        return Verdict::accept();
    }
    const std::size_t start = connect + kConnect.size();
    const std::size_t stop = call.payload().find('\n', start);
    if (stop == std::string_view::npos) {
        return Verdict::accept();
    }
    for (const std::string_view stream : kStreams) {
        const std::string_view line = call.payload().substr(0, stop);
        const std::size_t found = line.find(stream, start);
        if (found == std::string_view::npos) {
            continue;
        }
        const std::size_t offset = found + stream.size();
        const Number port = leading_number(line.substr(offset, kPortDigits));
        if (static_cast<Port>(port.value) == 0) {
            break;
        }
        if (const Verdict verdict = expect_stream(call, offset, port); !verdict.accepted()) {
            return verdict;
        }
    }
    return Verdict::accept();
}

}  // namespace nsr::helpers
