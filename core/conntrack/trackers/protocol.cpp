#include "core/conntrack/trackers/protocol.hpp"

#include <cstdarg>
#include <cstdio>
#include <string>

#include "core/packet/describe.hpp"

namespace nsr::conntrack {

namespace {

struct Tracker {
    std::uint8_t protocol;
    TrackerVerdict (*judge)(Flow&);
};

// The busiest first.
constexpr Tracker kTrackers[] = {
    {proto::kTcp, judge_tcp},         {proto::kUdp, judge_udp},   {proto::kIcmp, judge_icmp},
    {proto::kIcmpv6, judge_icmpv6},   {proto::kSctp, judge_sctp}, {proto::kGre, judge_gre},
    {proto::kUdplite, judge_udplite},
};

}  // namespace

TrackerVerdict judge(Flow& flow) {
    for (const Tracker& tracker : kTrackers) {
        if (tracker.protocol == flow.record.protocol) {
            return tracker.judge(flow);
        }
    }
    return judge_generic(flow);
}

void Flow::refresh(std::uint32_t seconds) {
    counted = true;
    if (!record.has(status::kFixedTimeout)) {
        record.deadline = jiffies_of(seconds) + (confirmed() ? now : 0);
    }
}

void Flow::assure() {
    events |= record.has(status::kAssured) ? 0 : event::kAssured;
    record.status |= status::kAssured;
}

void Flow::kill() {
    counted = true;
    killed = true;
}

bool InvalidLog::wants(std::uint8_t protocol) const {
    constexpr std::uint32_t kAllProtocols = 255;
    return settings_.log_invalid == kAllProtocols ||
           (settings_.log_invalid != 0 && settings_.log_invalid == protocol);
}

void InvalidLog::write(const Packet& packet, std::uint8_t protocol, const char* format, ...) const {
    char why[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    note(why);
    if (!wants(protocol)) {
        return;
    }
    std::string line = "nf_ct_proto_" + std::to_string(protocol) + ": " + why + ' ';
    line += places_.describe ? places_.describe(packet) : describe(packet);
    places_.sink.log(now_, LogLevel::Notice, line);
}

}  // namespace nsr::conntrack
