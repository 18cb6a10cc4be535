// SANE: the answer to NET_START names the port for the picture. kernel: nf_conntrack_sane.c
#include "core/helpers/protocols/protocols.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::helpers {

namespace {

constexpr std::uint32_t kNetStart = 7;
constexpr std::uint32_t kSuccess = 0;
constexpr std::size_t kRequestBytes = 8;  // the call, a handle
constexpr std::size_t kReplyBytes = 8;    // status, 0, the port

const std::uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

Verdict expect_data(Call& call, std::string_view reply) {
    const std::uint8_t* bytes = bytes_of(reply);
    if (wire::load32(bytes) != kSuccess || wire::load16(bytes + 4) != 0) {
        return Verdict::accept();
    }
    const conntrack::Tuple original = call.tuple(Direction::Original);
    return call.expect(conntrack::expect(call.id(), {.protocol = proto::kTcp,
                                                     .source = original.source,
                                                     .destination = original.destination,
                                                     .destination_port = wire::load16(bytes + 6)}));
}

}  // namespace

Verdict help_sane(Call& call) {
    const std::string_view payload = call.payload();
    if (!call.established() || payload.empty()) {
        return Verdict::accept();
    }
    std::uint8_t& requested = call.data().sane.start_requested;
    if (call.direction() == Direction::Original) {
        if (payload.size() == kRequestBytes) {
            requested = wire::load32(bytes_of(payload)) == kNetStart ? 1 : 0;
        }
        return Verdict::accept();
    }
    if (requested == 0) {
        return Verdict::accept();
    }
    requested = 0;
    return payload.size() < kReplyBytes ? Verdict::accept() : expect_data(call, payload);
}

}  // namespace nsr::helpers
