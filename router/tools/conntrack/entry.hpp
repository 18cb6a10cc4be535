// One connection, and what every form of its text needs of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/conntrack/conntrack.hpp"
#include "core/conntrack/tuple_text.hpp"

namespace nsr::router {

// A view: what it refers to must outlive it.
struct Entry {
    ConnId id;
    const conntrack::Connection& connection;
    const conntrack::Extra* extra;  // null: none
    std::array<conntrack::Tuple, 2> tuples;
    conntrack::HelperId helper;
    Instant now;

    [[nodiscard]] const conntrack::Tuple& tuple(Direction direction) const {
        return tuples[index_of(direction)];
    }
    [[nodiscard]] std::uint32_t seconds_left() const {
        const std::int32_t left = jiffies_until(connection.deadline, to_jiffies(now));
        return static_cast<std::uint32_t>(std::max(left, 0)) / kJiffiesPerSecond;
    }
    [[nodiscard]] bool zone_is_shared() const {
        return extra == nullptr || extra->zone_original == extra->zone_reply;
    }
    // In which it is looked up, going that way.
    [[nodiscard]] Zone zone_of(Direction direction) const;
    [[nodiscard]] std::int64_t age_seconds() const {
        constexpr std::int64_t kNanoseconds = 1'000'000'000;
        return std::max<std::int64_t>(
            now.time_since_epoch().count() / kNanoseconds - extra->start_ns / kNanoseconds, 0);
    }
};

// The number that -o id shows: the same as long as it lives, and hardly that of the next one in its
// place. kernel: nf_ct_get_id
std::uint32_t shown_id(const Entry& entry);

Entry entry_of(const conntrack::Conntrack& conntrack, ConnId id, Instant now);

using conntrack::Ports;

// libnetfilter_conntrack knows a protocol that the kernel's files call unknown: DCCP.
Ports ports_of(std::uint8_t protocol);
std::string_view protocol_name(std::uint8_t protocol);
const char* family_name(const Entry& entry);
std::string hex(std::uint32_t value);
std::string number(std::uint64_t value);

}  // namespace nsr::router
