// InvalidNote: why the packet that was tracked last is INVALID, for whoever keeps such things.
#pragma once

#include <array>
#include <string_view>

#include "core/base/ct_info.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack {

struct InvalidNote {
    bool has_connection = false;  // one has its addresses and ports
    bool has_tcp = false;
    Direction direction = Direction::Original;  // valid iff has_connection
    // What nf_conntrack_log_invalid says, or would say if the kernel had words for it.
    std::array<char, 93> why{};
    TcpState tcp;  // valid iff has_tcp: of that connection, as the packet found it

    void begin() {
        has_connection = has_tcp = false;
        why[0] = 0;
    }
    // One has the addresses and ports of the packet, which goes in `way`; a record that is not
    // confirmed was made for it, and is none.
    void about(const Connection& record, Direction way) {
        direction = way;
        has_connection = record.has(status::kConfirmed);
        has_tcp = has_connection && record.protocol == proto::kTcp;
        if (has_tcp) {
            tcp = record.state.tcp;
        }
    }
    // The first word counts.
    void say(const char* text) {
        if (why[0] == 0) {
            why[std::string_view(text).copy(why.data(), why.size() - 1)] = 0;
        }
    }
};

}  // namespace nsr::conntrack
