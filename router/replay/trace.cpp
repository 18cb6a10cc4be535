#include "router/replay/trace.hpp"

#include <array>
#include <cstdio>

#include "core/packet/describe.hpp"
#include "core/rules/save.hpp"

namespace nsr::router {
namespace {

std::string_view name_of(CtInfo info) {
    constexpr std::array<std::string_view, 7> kNames = {
        "INVALID", "NEW", "ESTABLISHED", "ESTABLISHED", "RELATED", "RELATED", "UNTRACKED"};
    return kNames[static_cast<std::size_t>(info)];
}

std::string_view name_of(routing::Destination kind) {
    constexpr std::array<std::string_view, 8> kNames = {
        "forwarded", "to the router", "broadcast",   "multicast",
        "blackhole", "prohibited",    "unreachable", "no route"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string in_seconds(Instant now) {
    std::array<char, 40> text{};
    const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    std::snprintf(text.data(), text.size(), "%.6f", seconds);
    return text.data();
}

}  // namespace

void TraceWriter::packet_received(const Packet& packet) {
    const bool own = packet.meta.in == IfIndex::None;
    heading(own ? "from the router itself" : "in " + interface_name(packet.meta.in), packet);
}

void TraceWriter::stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                             Verdict verdict) {
    std::string line =
        "    " + std::string(nsr::name_of(hook)) + " " + std::string(pipeline::name_of(stage));
    if (verdict.was_stolen()) {
        line += ": kept";
    } else if (verdict.dropped()) {
        line += ": " + std::string(nsr::name_of(verdict.reason()));
    } else if (stage == pipeline::StageId::Track) {
        line += ": " + std::string(name_of(packet.meta.ct_info));
    } else if (stage == pipeline::StageId::Dnat || stage == pipeline::StageId::Snat) {
        line += ": " + describe(packet);
    } else {
        return;
    }
    line_(line);
}

void TraceWriter::routed(const Packet&, const routing::Decision& decision) {
    std::string line = "    route: " + std::string(name_of(decision.kind));
    if (decision.kind == routing::Destination::Unicast) {
        line += " through " + interface_name(decision.out) + " to " + to_string(decision.next_hop);
    }
    const std::uint32_t table = decision.table;
    if (table != 0 && table != routing::kMainTable && table != routing::kLocalTable) {
        line += " by table " + std::to_string(table);
    }
    line_(line);
}

void TraceWriter::dropped(const Packet&, DropReason reason) {
    line_("    dropped: " + std::string(nsr::name_of(reason)) + " (" +
          std::string(explain(reason)) + ")");
}

void TraceWriter::left(const Packet& packet) {
    const bool own = packet.meta.out == IfIndex::None;
    heading(own ? "to the router itself" : "out " + interface_name(packet.meta.out), packet);
}

void TraceWriter::rule_tried(rules::TableId table, std::string_view chain, const rules::Rule& rule,
                             bool matched) {
    line_("    " + std::string(rules::name_of(table)) + " " + rules::rule_text(chain, rule) + " (" +
          rule.where.file + ":" + std::to_string(rule.where.line) + ")" +
          (matched ? ": matches" : ": does not match"));
}

void TraceWriter::policy_applied(rules::TableId table, std::string_view chain,
                                 rules::Policy policy) {
    line_("    " + std::string(rules::name_of(table)) + " " + std::string(chain) + " policy " +
          (policy == rules::Policy::Drop ? "DROP" : "ACCEPT"));
}

std::string TraceWriter::interface_name(IfIndex index) const {
    return router_.interfaces().get(index).name;
}

void TraceWriter::heading(std::string_view where, const Packet& packet) {
    const std::string cause =
        packet.meta.cause == kTimerCause ? "timer" : "#" + std::to_string(packet.meta.cause);
    line_(in_seconds(now_) + " " + cause + " " + std::string(where) + ": " + describe(packet));
}

}  // namespace nsr::router
