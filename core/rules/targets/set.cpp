// -j SET: puts packets into address sets, takes them out, or maps them by what is known there.
// kernel: set_target_v3 of xt_set.c
#include <array>

#include "core/rules/set_use.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"
#include "core/sets/sets.hpp"

namespace nsr::rules {

namespace {

// "!" before any of them means nothing, and of several timeouts the last one counts. libxt_SET:
// set_target_parse_v3
constexpr std::array kSetOptions = std::to_array<OptionSpec>({
    {"add-set", 2, true},
    {"del-set", 2, true},
    {"map-set", 2, true},
    {"timeout", 1, true, {}, true},
    {"exist", 0, true, {}, true},
    {"map-mark", 0, true, {}, true},
    {"map-prio", 0, true, {}, true},
    {"map-queue", 0, true, {}, true},
});

class SetTarget : public Target {
  public:
    SetTarget() : Target("SET") {}
    std::string save() const override;
    std::vector<std::string_view> set_names() const override;
    bool asks_sets() const override { return map.has_value(); }
    TargetVerdict apply(ActionParam& par, TableVerdict&) const override;
    // Priorities and queues are known where a packet leaves. kernel: set_target_v3_checkentry
    std::uint8_t hooks() const override {
        constexpr std::uint8_t kLeaving =
            bit(Hook::Forward) | bit(Hook::Output) | bit(Hook::Postrouting);
        return map_priority || map_queue ? kLeaving : kAllHooks;
    }

    std::optional<SetUse> add;
    std::optional<SetUse> del;
    std::optional<SetUse> map;
    std::optional<std::uint32_t> timeout;
    bool exist = false;
    bool map_mark = false;
    bool map_priority = false;  // which nothing here looks at, no more than at the queue
    bool map_queue = false;
};

TargetVerdict SetTarget::apply(ActionParam& par, TableVerdict&) const {
    const sets::Seen seen = seen_by_sets(par);
    const std::uint32_t bytes = par.packet.layout.total_length;
    if (add) {
        sets::Extensions given;
        given.timeout = timeout;
        given.packets = 1;
        given.bytes = bytes;
        par.sets.learn(add->name, seen, add->directions, given, exist, par.now);
    }
    if (del) {
        par.sets.forget(del->name, seen, del->directions, par.now);
    }
    sets::SkbInfo found;
    const sets::Question question{.packet_bytes = bytes, .found = &found};
    if (map && par.sets.match(map->name, seen, map->directions, question, par.now) && map_mark) {
        Mark& mark = par.packet.meta.mark;
        mark = (mark & ~found.mark_mask) ^ found.mark;
    }
    return TargetVerdict::Continue;
}

std::vector<std::string_view> SetTarget::set_names() const {
    std::vector<std::string_view> names;
    for (const auto* use : {&add, &del, &map}) {
        if (*use) {
            names.push_back((*use)->name);
        }
    }
    return names;
}

std::string SetTarget::save() const {
    std::string text;
    if (add) {
        append(text, "--add-set " + to_string(*add));
    }
    if (exist) {
        append(text, "--exist");
    }
    if (timeout) {
        append(text, "--timeout " + std::to_string(*timeout));
    }
    if (del) {
        append(text, "--del-set " + to_string(*del));
    }
    if (map) {
        append(text, "--map-set " + to_string(*map));
    }
    text += map_mark ? " --map-mark" : "";
    text += map_priority ? " --map-prio" : "";
    text += map_queue ? " --map-queue" : "";
    return text;
}

// What is wrong with the options together, in a sentence; empty: nothing.
std::string misfit(const Options& options, const RuleContext& context) {
    if (!options.has("add-set") && !options.has("del-set") && !options.has("map-set")) {
        return "target SET needs --add-set, --del-set or --map-set, each with NAME src,dst";
    }
    for (const std::string_view name : {"exist", "timeout"}) {
        if (options.has(name) && !options.has("add-set")) {
            return "--" + std::string(name) + " goes with --add-set only";
        }
    }
    const bool maps =
        options.has("map-mark") || options.has("map-prio") || options.has("map-queue");
    if (options.has("map-set") != maps) {
        return "--map-set goes with --map-mark, --map-prio or --map-queue, and these with it";
    }
    return maps && context.table != TableId::Mangle
               ? "--map-set is only valid in table mangle, not in " +
                     std::string(name_of(context.table))
               : std::string();
}

void read_timeouts(const Options& options, const RuleContext& context, SetTarget& target) {
    constexpr std::uint32_t kLongest = 0xfffffffe;
    for (const GivenOption& given : options.given) {
        if (given.name != "timeout") {
            continue;
        }
        const auto seconds = parse_number(given.value, kLongest);
        if (!seconds) {
            context.error(given, "--timeout needs a number from 0 to 4294967294, not " +
                                     in_quotes(given.value));
            return;
        }
        target.timeout = static_cast<std::uint32_t>(*seconds);
    }
}

std::shared_ptr<const Target> parse_set_target(const Options& options, RuleContext& context) {
    if (const std::string wrong = misfit(options, context); !wrong.empty()) {
        context.error(wrong);
        return nullptr;
    }
    auto target = std::make_shared<SetTarget>();
    const std::size_t errors = context.errors.size();
    const auto read = [&](std::string_view name, std::optional<SetUse>& use) {
        if (const GivenOption* given = options.find(name)) {
            use = read_set_use(*given, context);
        }
    };
    read("add-set", target->add);
    read("del-set", target->del);
    read("map-set", target->map);
    read_timeouts(options, context, *target);
    target->exist = options.has("exist");
    target->map_mark = options.has("map-mark");
    target->map_priority = options.has("map-prio");
    target->map_queue = options.has("map-queue");
    return context.errors.size() == errors ? target : nullptr;
}

}  // namespace

const TargetModule kSetTarget = {"SET", kBothFamilies, kSetOptions, parse_set_target};

}  // namespace nsr::rules
