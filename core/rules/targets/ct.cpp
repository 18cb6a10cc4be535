// -j CT and -j NOTRACK: what tracking is to do with the packet, said before it looks.
// kernel: xt_CT.c
#include <algorithm>
#include <array>
#include <utility>

#include "core/conntrack/record/event.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kCtOptions = std::to_array<OptionSpec>({
    {"notrack", 0},
    {"helper"},
    {"timeout"},
    {"ctevents"},
    {"expevents"},
    {"zone"},
    {"zone-orig"},
    {"zone-reply"},
});

namespace event = conntrack::event;

// The events that --ctevents can name. libxt_CT: ct_event_tbl
constexpr auto kEventNames = std::to_array<std::pair<std::string_view, std::uint32_t>>({
    {"new", event::kNew},
    {"related", event::kRelated},
    {"destroy", event::kDestroy},
    {"reply", event::kReply},
    {"assured", event::kAssured},
    {"protoinfo", event::kProtoInfo},
    {"helper", event::kHelper},
    {"mark", event::kMark},
    {"natseqinfo", event::kNatSeqAdj},
    {"secmark", event::kSecMark},
});

class NotrackTarget : public Target {
  public:
    explicit NotrackTarget(std::string_view name) : Target(name) {}
    std::string save() const override { return name() == "CT" ? "--notrack" : ""; }
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
};

// kernel: xt_ct_target leaves packets alone that have a template or were tracked already
bool decided(const Meta& meta) {
    return meta.ct_seen || meta.ct_template || meta.conn != ConnId::None;
}

TargetVerdict NotrackTarget::apply(ActionParam& par, TableVerdict&) const {
    Meta& meta = par.packet.meta;
    if (!decided(meta)) {
        meta.ct_info = CtInfo::Untracked;
        meta.ct_seen = true;
    }
    return TargetVerdict::Continue;
}

class CtTarget : public Target {
  public:
    CtTarget() : Target("CT") {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    bool needs_tracking() const override { return true; }

    std::uint32_t events = 0;         // of the connection; 0: --ctevents was not given
    bool expectation_events = false;  // --expevents new: there are no expectations to tell of
    bool has_zone = false;
    bool zone_from_mark = false;
    Zone zone = 0;
    bool original = true;
    bool reply = true;

  private:
    std::string_view zone_option() const;
};

std::string_view CtTarget::zone_option() const {
    if (original && reply) {
        return "--zone ";
    }
    return original ? "--zone-orig " : "--zone-reply ";
}

std::string CtTarget::save() const {
    std::string text;
    for (const auto& [name, bit] : kEventNames) {
        if ((events & bit) != 0) {
            (text += text.empty() ? "--ctevents " : ",") += name;
        }
    }
    const auto next = [&] { return text.empty() ? "" : " "; };
    if (expectation_events) {
        text += std::string(next()) + "--expevents new";
    }
    if (has_zone) {
        (text += next()) += zone_option();
        text += zone_from_mark ? "mark" : std::to_string(zone);
    }
    return text;
}

TargetVerdict CtTarget::apply(ActionParam& par, TableVerdict&) const {
    Meta& meta = par.packet.meta;
    if (decided(meta)) {
        return TargetVerdict::Continue;
    }
    meta.ct_template = true;
    meta.zone = zone;
    meta.zone_from_mark = zone_from_mark;
    meta.zone_original = original;
    meta.zone_reply = reply;
    meta.ct_events = static_cast<std::uint16_t>(events);
    return TargetVerdict::Continue;
}

bool read_zone(const GivenOption& given, const RuleContext& context, CtTarget& target) {
    const auto zone = parse_number(given.value, 0xffff);
    if (!zone && given.value != "mark") {
        context.error(given,
                      "a zone is a number from 0 to 65535, or mark, not " + in_quotes(given.value));
        return false;
    }
    target.has_zone = true;
    target.zone_from_mark = !zone.has_value();
    target.zone = static_cast<Zone>(zone.value_or(0));
    target.original = given.name != "zone-reply";
    target.reply = given.name != "zone-orig";
    return true;
}

bool read_events(const GivenOption& given, const RuleContext& context, CtTarget& target) {
    const bool of_expectations = given.name == "expevents";
    for (const std::string_view word : split(given.value, ',')) {
        const auto known = std::find_if(kEventNames.begin(), kEventNames.end(),
                                        [&](const auto& entry) { return entry.first == word; });
        if (known == kEventNames.end() || (of_expectations && word != "new")) {
            context.error(given, "unknown event type " + in_quotes(word));
            return false;
        }
        target.events |= of_expectations ? 0 : known->second;
        target.expectation_events = target.expectation_events || of_expectations;
    }
    return true;
}

std::shared_ptr<const Target> parse_ct(const Options& options, RuleContext& context) {
    if (options.has("notrack")) {
        if (options.given.size() > 1) {
            context.error(
                "--notrack stands alone: there is nothing to say about a connection "
                "that is not tracked");
            return nullptr;
        }
        return std::make_shared<NotrackTarget>("CT");
    }
    auto target = std::make_shared<CtTarget>();
    for (const GivenOption& given : options.given) {
        if (given.name.ends_with("events")) {
            if (!read_events(given, context, *target)) {
                return nullptr;
            }
            continue;
        }
        if (!given.name.starts_with("zone")) {
            context.error(given,
                          "target CT with --" + std::string(given.name) + " is not supported yet");
            return nullptr;
        }
        if (target->has_zone) {
            context.error(given, "only one of --zone, --zone-orig and --zone-reply can be given");
            return nullptr;
        }
        if (!read_zone(given, context, *target)) {
            return nullptr;
        }
    }
    return target;
}

std::shared_ptr<const Target> parse_notrack(const Options&, RuleContext&) {
    return std::make_shared<NotrackTarget>("NOTRACK");
}

}  // namespace

const TargetModule kCtTarget = {"CT", kBothFamilies, kCtOptions, parse_ct, bit(TableId::Raw)};
const TargetModule kNotrackTarget = {
    "NOTRACK", kBothFamilies, {}, parse_notrack, bit(TableId::Raw)};

}  // namespace nsr::rules
