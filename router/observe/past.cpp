#include "router/observe/past.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/plain_number.hpp"
#include "core/observe/place_text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "router/observe/render.hpp"

namespace nsr::router {
namespace {

using namespace observe;
using pipeline::PastPacket;
using pipeline::StageId;

constexpr int kMostLooks = 32;  // in one turn

struct Ends {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    bool has_ports = false;
};

void read_ports(std::span<const std::uint8_t> head, std::uint8_t protocol, std::size_t l4,
                Ends& ends) {
    ends.has_ports = proto::has_ports(protocol) && l4 + 4 <= head.size();
    if (ends.has_ports) {
        ends.source_port = wire::load16(&head[l4]);
        ends.destination_port = wire::load16(&head[l4 + 2]);
    }
}

// Of the first bytes of a packet; nothing: they are no packet.
std::optional<Ends> ends_of(std::span<const std::uint8_t> head) {
    const unsigned version = head.empty() ? 0 : head[0] >> 4;
    if (const auto v4 = wire::Ipv4View::parse(head); v4 && version == 4) {
        Ends ends{v4->source(), v4->destination()};
        if ((v4->flags_and_offset() & wire::ipv4::kOffsetMask) == 0) {
            read_ports(head, v4->protocol(), v4->header_length_bytes(), ends);
        }
        return ends;
    }
    if (const auto v6 = wire::Ipv6View::parse(head); v6 && version == 6) {
        Ends ends{v6->source(), v6->destination()};
        read_ports(head, v6->next_header(), wire::ipv6::kHeaderBytes, ends);
        return ends;
    }
    return std::nullopt;
}

void add_translations(const PastPacket& past, Observation& seen) {
    const auto was = ends_of(past.bytes());
    const auto is = ends_of(past.bytes_as_left());
    if (!was || !is) {
        return;
    }
    const bool ports = was->has_ports && is->has_ports;
    if (is->destination != was->destination || is->destination_port != was->destination_port) {
        seen.steps.emplace_back(
            TranslatedStep{{Hook::Prerouting, StageId::Dnat},
                           false,
                           endpoint_text(was->destination, was->destination_port, ports),
                           endpoint_text(is->destination, is->destination_port, ports)});
    }
    if (is->source != was->source || is->source_port != was->source_port) {
        seen.steps.emplace_back(TranslatedStep{{Hook::Postrouting, StageId::Snat},
                                               true,
                                               endpoint_text(was->source, was->source_port, ports),
                                               endpoint_text(is->source, is->source_port, ports)});
    }
}

void add_left(const PastPacket& past, const Router& router, Observation& seen) {
    add_translations(past, seen);
    LeftStep left{interface_name(past.out, router.interfaces()), {}, past.out, {}, 0};
    left.bytes.assign(past.bytes_as_left().begin(), past.bytes_as_left().end());
    left.length = past.left_length;
    seen.steps.emplace_back(std::move(left));
}

void add_drop(const PastPacket& past, const Router& router, Observation& seen) {
    const pipeline::DropPlace& place = past.place;
    seen.reason = place.reason;
    DroppedStep dropped{place.reason, {}, {}};
    if (place.in_hook) {
        dropped.place = Place{place.hook, place.stage};
    }
    const auto rule = place.rule == RuleId::None ? std::nullopt : router.name_of_rule(place.rule);
    if (rule) {
        RuleStep step;
        step.place = {place.hook, place.stage};
        step.table = rule->table;
        step.chain = rule->chain;
        step.number = rule->number;
        step.where = rule->where;
        step.text = rule->text;
        step.matched = true;
        seen.steps.emplace_back(std::move(step));
    }
    seen.steps.emplace_back(std::move(dropped));
}

constexpr Fate fate_of(PastPacket::End end) {
    switch (end) {
        case PastPacket::End::Left:
            return Fate::Left;
        case PastPacket::End::Delivered:
            return Fate::Delivered;
        case PastPacket::End::Kept:
            return Fate::Kept;
        case PastPacket::End::Dropped:
            return Fate::Dropped;
        case PastPacket::End::Nothing:
            break;
    }
    return Fate::Nothing;
}

}  // namespace

std::optional<Duration> parse_ago(std::string_view text) {
    constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
    constexpr std::uint64_t kMostMs = 24 * 3'600'000;
    const auto number = take_number(text);
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [&](const auto& each) { return each.first == text; });
    if (!number || unit == std::end(kUnits) || *number == 0 || *number > kMostMs / unit->second) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(*number * unit->second);
}

Observation observation_of(const PastPacket& past, const Router& router) {
    Observation seen;
    seen.number = past.number;
    seen.caused_by = past.caused_by;
    seen.at = past.at;
    seen.in = interface_name(past.in, router.interfaces());
    seen.in_index = past.in;
    seen.bytes.assign(past.bytes().begin(), past.bytes().end());
    seen.length = past.length;
    seen.zone = past.zone;
    seen.mark = past.mark;
    seen.fate = fate_of(past.end);
    if (past.tracked) {
        const Hook hook = past.in == IfIndex::None ? Hook::Output : Hook::Prerouting;
        TrackedStep tracked{{hook, StageId::Track}, past.info, {}, {}, {}};
        if (past.conn != ConnId::None) {
            tracked.after = ConnectionState{past.conn, {}, 0, {}, {}};
        }
        seen.steps.emplace_back(std::move(tracked));
    }
    if (past.end == PastPacket::End::Left) {
        add_left(past, router, seen);
    } else if (past.end == PastPacket::End::Dropped) {
        add_drop(past, router, seen);
    }
    return seen;
}

Past::Past(Router& router, Wish wish)
    : router_(router),
      wish_(std::move(wish)),
      form_(capture_form(router, wish_.form)),
      next_(router.history().first()),
      last_(router.history().made()) {
}

bool Past::advance(std::string& out, std::size_t bytes) {
    if (!std::exchange(begun_, true)) {
        form_->begin(out, 0);
    }
    const std::size_t before = out.size();
    const auto over = [this] {
        return next_ > last_ || (wish_.count != 0 && told_ == wish_.count);
    };
    for (int looks = 0; !over() && looks < kMostLooks && out.size() - before < bytes; ++looks) {
        const PastPacket* past = router_.history().find(next_++);
        if (past == nullptr) {
            ++overwritten_;
        } else if (past->at >= wish_.since) {
            tell(*past, out);
        }
    }
    if (!over()) {
        return true;
    }
    if (overwritten_ != 0) {
        form_->left_out(out, std::exchange(overwritten_, 0), "newer packets have taken their room");
    }
    return false;
}

void Past::tell(const PastPacket& past, std::string& out) {
    if (!wish_.filter.admits(past.bytes())) {
        return;
    }
    const Observation seen = observation_of(past, router_);
    if (!wish_.filter.needs_outcome() || wish_.filter.fits(subject_of(seen))) {
        const std::size_t before = out.size();
        form_->append(out, seen);
        told_ += out.size() != before ? 1 : 0;
    }
}

}  // namespace nsr::router
