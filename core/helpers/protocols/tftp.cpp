// TFTP: the answer to a request comes from a port of its own. kernel: nf_conntrack_tftp.c,
// nf_nat_tftp.c
#include "core/helpers/protocols/protocols.hpp"

namespace nsr::helpers {

namespace {

// RFC 1350 5
constexpr unsigned kReadRequest = 1;
constexpr unsigned kWriteRequest = 2;

}  // namespace

Verdict help_tftp(Call& call) {
    const std::string_view payload = call.payload();
    if (payload.size() < 2) {
        return Verdict::accept();
    }
    const unsigned opcode =
        static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
    if (opcode != kReadRequest && opcode != kWriteRequest) {
        return Verdict::accept();
    }
    const conntrack::Tuple reply = call.tuple(Direction::Reply);
    conntrack::Expectation expectation =
        conntrack::expect(call.id(), {.protocol = proto::kUdp,
                                      .source = reply.source,
                                      .destination = reply.destination,
                                      .destination_port = reply.destination_port});
    if (call.translated()) {
        expectation.saved_port = call.tuple(Direction::Original).source_port;
        expectation.direction = Direction::Reply;
        expectation.follow = conntrack::Follow::Master;
    }
    return call.expect(expectation);
}

}  // namespace nsr::helpers
