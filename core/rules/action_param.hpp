// What a match or target is shown.
// kernel: struct xt_action_param
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/instant.hpp"
#include "core/base/log.hpp"
#include "core/base/random.hpp"
#include "core/base/siphash.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/packet/hook.hpp"
#include "core/packet/packet.hpp"
#include "core/rules/copies.hpp"
#include "core/rules/network.hpp"
#include "core/rules/packet_log.hpp"
#include "core/rules/state.hpp"
#include "core/rules/table_id.hpp"

namespace nsr::sets {
class Sets;
}

namespace nsr::rules {

struct ActionParam {
    Packet& packet;
    TableId table;
    Hook hook;
    Instant now;
    conntrack::Conntrack& conntrack;
    const Network& network;
    RandomSource& random;
    LogSink& log;
    sets::Sets& sets;
    const SipKey& hash_key;  // of tables that packets fill; the same as long as the program lives
    MatchState* state = nullptr;        // of the match at work; see StatefulMatch
    Copies* copies = nullptr;           // what TEE makes; null: the packet is such a copy itself
    PacketLog* packet_log = nullptr;    // NFLOG; null: nobody listens
    std::int64_t* work_left = nullptr;  // of this walk, see limits.hpp; null: nobody counts

    // What a match or a target does beyond a call, in instructions.
    void charge(std::size_t work) const {
        if (work_left != nullptr) {
            *work_left -= static_cast<std::int64_t>(work);
        }
    }
};

}  // namespace nsr::rules
