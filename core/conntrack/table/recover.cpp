// Taking in the records that a killed or replaced router left behind. Nothing in them is believed
// before it was checked: the commit word covers what identifies a connection, what indexes tables
// is compared with their bounds, and no side record is given out twice.
#include <vector>

#include "core/conntrack/record/settings.hpp"
#include "core/conntrack/table/parts.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack {
namespace {

constexpr std::uint8_t kMaxWindowScale = 14;  // RFC 7323
constexpr std::uint8_t kSegmentKinds = 16;    // generous: more than there are

// Does the tracker find only what it can have written?
bool plausible_state(const Connection& record) {
    if (record.protocol == proto::kTcp) {
        const TcpState& tcp = record.state.tcp;
        return tcp.state < static_cast<std::uint8_t>(TcpConntrack::Max) && tcp.last_direction < 2 &&
               tcp.last_index < kSegmentKinds && tcp.scale[0] <= kMaxWindowScale &&
               tcp.scale[1] <= kMaxWindowScale && tcp.last_wscale <= kMaxWindowScale;
    }
    if (record.protocol == proto::kSctp) {
        const SctpState& sctp = record.state.sctp;
        return sctp.state < static_cast<std::uint8_t>(SctpConntrack::Max) &&
               sctp.last_direction < 2;
    }
    return true;
}

// A helper trusts what it remembers, and that packets have the protocol it reads. Expectations did
// not survive.
bool plausible_help(const Connection& record, Help& help) {
    help.newest = kNoExpectation;
    help.expecting = {};
    if (help.helper >= HelperId::Count || help.of_master >= HelperId::Count) {
        return false;
    }
    const bool fits =
        help.helper == HelperId::None || helper_info(help.helper).protocol == record.protocol;
    const bool moved = help.adjusts[0].moves() || help.adjusts[1].moves();
    const auto& lines = help.data.ftp.known;
    const bool readable = help.helper != HelperId::Ftp ||
                          (lines[0] <= FtpHelp::kRemembered && lines[1] <= FtpHelp::kRemembered);
    return fits && readable && (!moved || record.protocol == proto::kTcp);
}

// The numbers of an arena that recovered records use.
template <class T>
struct Claims {
    explicit Claims(const Arena<T>& from) : arena(from), taken(from.end()) {}

    [[nodiscard]] bool may_use(std::uint32_t number) const {
        return number == kNoSide || (arena.holds(number) && !taken[number]);
    }
    void use(std::uint32_t number) {
        if (number != kNoSide) {
            taken[number] = true;
        }
    }

    const Arena<T>& arena;
    std::vector<bool> taken;
};

}  // namespace

std::size_t Table::recover(Jiffies now, Jiffies clock_shift) {
    TableParts& parts = *parts_;
    parts.records.adopt();
    parts.addresses.adopt();
    parts.extras.adopt();
    parts.helps.adopt();
    std::vector<bool> live(parts.records.end());
    Claims<V6Addresses> addresses(parts.addresses);
    Claims<Extra> extras(parts.extras);
    Claims<Help> helps(parts.helps);
    const auto help_of = [&](const Connection& record) {
        return record.extra == kNoSide ? kNoSide : std::uint32_t{parts.extras[record.extra].help};
    };
    const auto revive = [&](std::uint32_t number) {
        Connection& record = parts.records[number];
        const bool v4 = record.family == Family::Ipv4 && record.v6 == kNoSide;
        const bool v6 = record.family == Family::Ipv6 && record.v6 != kNoSide;
        if (record.commit == 0 || !(v4 || v6) || !addresses.may_use(record.v6) ||
            !extras.may_use(record.extra) || !helps.may_use(help_of(record)) ||
            (help_of(record) != kNoSide && !plausible_help(record, parts.helps[help_of(record)])) ||
            record.commit != parts.commit_word(number) || !plausible_state(record) ||
            record.has(status::kDying)) {
            return false;
        }
        record.deadline += clock_shift;
        record.assured_after += clock_shift;
        if (record.extra != kNoSide) {  // timeout policies are another process's
            parts.extras[record.extra].timeout_policy = 0;
        }
        record.status |= status::kConfirmed;
        for (const Direction direction : {Direction::Original, Direction::Reply}) {
            const TupleKey key = parts.key_of(record, direction);
            if (parts.find(key, now, [](const Hit&) { return true; })) {
                return false;
            }
        }
        return !expired(record, now) && parts.enter(number, now);
    };
    for (std::uint32_t number = parts.records.begin(); number < parts.records.end(); ++number) {
        Connection& record = parts.records[number];
        if (revive(number)) {
            live[number] = true;
            addresses.use(record.v6);
            extras.use(record.extra);
            helps.use(help_of(record));
            ++parts.size;
        } else {
            record.commit = 0;
            record.wheel_previous = kFree;
        }
    }
    parts.records.rebuild(live);
    parts.addresses.rebuild(addresses.taken);
    parts.extras.rebuild(extras.taken);
    parts.helps.rebuild(helps.taken);
    return parts.size;
}

}  // namespace nsr::conntrack
