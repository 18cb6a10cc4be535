// -j CT and -j NOTRACK: what tracking is to do with the packet, said before it looks.
// kernel: xt_CT.c
#include <algorithm>
#include <array>
#include <utility>

#include "core/conntrack/record/helper_info.hpp"
#include "core/conntrack/record/told.hpp"
#include "core/rules/recite.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/timeout_use.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

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
    // `text`: its options, that of CT's --notrack with what was said beside it.
    NotrackTarget(std::string_view name, std::string text) : Target(name), text_(std::move(text)) {}
    std::string save() const override { return text_; }
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;

  private:
    std::string text_;
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
    const TimeoutUse* timeout_use() const override {
        return timeout.name.empty() ? nullptr : &timeout;
    }

    std::string helper;  // as the rule names it
    conntrack::HelperId helper_id = conntrack::HelperId::None;
    TimeoutUse timeout;               // of no name: --timeout was not given
    std::uint32_t events = 0;         // of the connection; 0: --ctevents was not given
    bool expectation_events = false;  // --expevents new
    bool zone_from_mark = false;
    Zone zone = 0;
    bool original = true;
    bool reply = true;

  private:
    std::string_view zone_option() const;
};

std::string_view CtTarget::zone_option() const {
    if (original && reply) {
        return "--zone";
    }
    return original ? "--zone-orig" : "--zone-reply";
}

std::string CtTarget::save() const {
    std::string text = helper.empty() ? "" : "--helper " + form::plain_or_quoted(helper);
    if (!timeout.name.empty()) {
        append(text, "--timeout " + form::plain_or_quoted(timeout.name));
    }
    std::string told;
    for (const auto& [name, bit] : kEventNames) {
        if ((events & bit) != 0) {
            told += (told.empty() ? "--ctevents " : ",") + std::string(name);
        }
    }
    if (!told.empty()) {
        append(text, told);
    }
    if (expectation_events) {
        append(text, "--expevents new");
    }
    if (zone_from_mark || zone != 0) {
        append(text, zone_option());
        append(text, zone_from_mark ? "mark" : std::to_string(zone));
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
    const std::uint32_t named = events | (expectation_events ? event::kExpectNew : 0);
    meta.ct_events = conntrack::told(named) & event::kNameable;
    if (!timeout.name.empty()) {
        const auto id = par.conntrack.timeout_policies().id_of(timeout.name);
        meta.ct_timeout = raw(id) & conntrack::kMostTimeoutPolicies;
    }
    meta.ct_helper = static_cast<std::uint8_t>(helper_id) & 0x3f;
    return TargetVerdict::Continue;
}

bool read_zone(const GivenOption& given, const RuleContext& context, CtTarget& target) {
    const auto zone = parse_number(given.value, 0xffff);
    if (!zone && lower(given.value) != "mark") {
        context.error(given,
                      "a zone is a number from 0 to 65535, or mark, not " + in_quotes(given.value));
        return false;
    }
    target.zone_from_mark = target.zone_from_mark || !zone;
    target.zone = static_cast<Zone>(zone.value_or(0));
    return true;
}

// One direction that is named counts alone, both are as none. kernel: xt_ct_flags_to_dir
void read_directions(const Options& options, CtTarget& target) {
    const bool original = options.has("zone-orig");
    const bool reply = options.has("zone-reply");
    target.original = original || !reply;
    target.reply = reply || !original;
}

// kernel: xt_ct_set_helper
bool read_helper(const GivenOption& given, const RuleContext& context, CtTarget& target) {
    std::vector<std::string_view> names;
    std::string protocols;
    bool ipv4_only = false;
    for (const conntrack::HelperInfo& row : conntrack::helpers()) {
        const bool named = row.name == given.value && (row.ipv6 || !context.v6());
        if (named && context.only(row.protocol)) {
            target.helper_id = row.id;
            return true;
        }
        names.push_back(row.name);
        ipv4_only = ipv4_only || (row.name == given.value && !named);
        if (named) {
            protocols +=
                (protocols.empty() ? "\"-p " : " or \"-p ") + protocol_text(row.protocol) + "\"";
        }
    }
    if (ipv4_only) {
        context.error(given, "helper " + in_quotes(given.value) + " is for IPv4 only");
    } else if (protocols.empty()) {
        context.error(
            given, "unknown helper " + in_quotes(given.value) + did_you_mean(given.value, names));
    } else {
        context.error(given, "helper " + in_quotes(given.value) + " needs " + protocols +
                                 " in the same rule");
    }
    return false;
}

// Which policies fit is known when the rule is put among others. kernel: xt_ct_set_timeout
bool read_protocol(const Options& options, const RuleContext& context, CtTarget& target) {
    target.timeout.protocol = context.protocol;
    if (!target.timeout.name.empty() && (context.protocol == 0 || context.protocol_inverted)) {
        context.refuse(*options.find("timeout"),
                       "--timeout needs -p with a protocol, not negated, in the same rule");
        return false;
    }
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

bool read_option(const GivenOption& given, const RuleContext& context, CtTarget& target) {
    if (given.name.ends_with("events")) {
        return read_events(given, context, target);
    }
    if (given.name.starts_with("zone")) {
        return read_zone(given, context, target);
    }
    if (given.name == "helper" || given.name == "timeout") {
        constexpr std::size_t kMostHelper = 15;
        constexpr std::size_t kMostTimeout = 31;
        const bool helper = given.name == "helper";
        (helper ? target.helper : target.timeout.name) =
            given.value.substr(0, helper ? kMostHelper : kMostTimeout);
    }
    return true;
}

std::shared_ptr<const Target> parse_ct(const Options& options, RuleContext& context) {
    auto target = std::make_shared<CtTarget>();
    for (const GivenOption& given : options.given) {
        if (!read_option(given, context, *target)) {
            return nullptr;
        }
    }
    read_directions(options, *target);
    if (options.has("notrack")) {  // what else is said is kept and has no effect
        std::string text = "--notrack";
        if (const std::string rest = target->save(); !rest.empty()) {
            append(text, rest);
        }
        return std::make_shared<NotrackTarget>("CT", text);
    }
    const bool helps = !target->helper.empty();
    const bool done = (!helps || read_helper(*options.find("helper"), context, *target)) &&
                      read_protocol(options, context, *target);
    return done ? target : nullptr;
}

std::shared_ptr<const Target> parse_notrack(const Options&, RuleContext&) {
    return std::make_shared<NotrackTarget>("NOTRACK", "");
}

}  // namespace

const TargetModule kCtTarget = {"CT", kBothFamilies, kCtOptions, parse_ct, bit(TableId::Raw)};
const TargetModule kNotrackTarget = {
    "NOTRACK", kBothFamilies, {}, parse_notrack, bit(TableId::Raw)};

}  // namespace nsr::rules
