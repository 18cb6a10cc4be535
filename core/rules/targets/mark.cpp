// -j MARK and CONNMARK: marks of packets and of connections.
// kernel: xt_mark.c, xt_connmark.c
#include <array>

#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kMarkOptions = std::to_array<OptionSpec>(
    {{"set-mark"}, {"set-xmark"}, {"and-mark"}, {"or-mark"}, {"xor-mark"}});

// The one operation both targets share: value and mask of mark = (mark & ~mask) ^ value.
std::optional<MarkMask> parse_operation(const GivenOption& given, const RuleContext& context) {
    const bool with_mask = given.name == "set-mark" || given.name == "set-xmark";
    auto mark = parse_mark(given.value);
    if (!mark || (!with_mask && given.value.find('/') != std::string::npos)) {
        context.error(given, in_quotes(given.value) + " is not a mark such as 0x1" +
                                 (with_mask ? " or 0x1/0xff" : ""));
        return std::nullopt;
    }
    if (given.name == "set-mark") {
        mark->mask |= mark->value;
    } else if (given.name == "and-mark") {
        mark = MarkMask{0, ~mark->value};
    } else if (given.name == "or-mark") {
        mark->mask = mark->value;
    } else if (given.name == "xor-mark") {
        mark->mask = 0;
    }
    return mark;
}

class MarkTarget : public Target {
  public:
    explicit MarkTarget(const MarkMask& mark) : Target("MARK"), mark_(mark) {}
    std::string save() const override {
        return "--set-xmark " + hex(mark_.value) + "/" + hex(mark_.mask);
    }
    CompiledTarget compile() const override {
        return {.action = Action::Mark, .operand = mark_.value, .mask = mark_.mask};
    }

  private:
    MarkMask mark_;
};

std::shared_ptr<const Target> parse_mark_target(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        context.error(
            "target MARK needs exactly one of --set-mark, --set-xmark, --and-mark, "
            "--or-mark and --xor-mark");
        return nullptr;
    }
    const auto mark = parse_operation(options.given[0], context);
    return mark ? std::make_shared<MarkTarget>(*mark) : nullptr;
}

constexpr std::array kConnmarkOptions = std::to_array<OptionSpec>({
    {"set-mark"},
    {"set-xmark"},
    {"and-mark"},
    {"or-mark"},
    {"xor-mark"},
    {"save-mark", 0},
    {"restore-mark", 0},
    {"ctmask"},
    {"nfmask"},
    {"mask"},
});

class ConnmarkTarget : public Target {
  public:
    enum class Mode : std::uint8_t { Set, Save, Restore };

    ConnmarkTarget() : Target("CONNMARK") {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    bool needs_tracking() const override { return true; }

    Mode mode = Mode::Set;
    std::uint32_t value = 0;
    std::uint32_t ct_mask = 0xffffffff;
    std::uint32_t packet_mask = 0xffffffff;
};

std::string ConnmarkTarget::save() const {
    switch (mode) {
        case Mode::Set:
            return "--set-xmark " + hex(value) + "/" + hex(ct_mask);
        case Mode::Save:
            return "--save-mark --nfmask " + hex(packet_mask) + " --ctmask " + hex(ct_mask);
        case Mode::Restore:
            return "--restore-mark --nfmask " + hex(packet_mask) + " --ctmask " + hex(ct_mask);
    }
    return {};
}

// kernel: connmark_tg_shift
TargetVerdict ConnmarkTarget::apply(ActionParam& par, TableVerdict&) const {
    Meta& meta = par.packet.meta;
    if (meta.conn == ConnId::None) {
        return TargetVerdict::Continue;
    }
    const Mark connection = par.conntrack.table()[meta.conn].mark;
    switch (mode) {
        case Mode::Set:
            par.conntrack.set_mark(meta.conn, (connection & ~ct_mask) ^ value);
            break;
        case Mode::Save:
            par.conntrack.set_mark(meta.conn, (connection & ~ct_mask) ^ (meta.mark & packet_mask));
            break;
        case Mode::Restore:
            meta.mark = (meta.mark & ~packet_mask) ^ (connection & ct_mask);
            break;
    }
    return TargetVerdict::Continue;
}

bool read_mask(const Options& options, const RuleContext& context, std::string_view name,
               std::uint32_t& mask) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    const auto number = parse_number(given->value, 0xffffffff);
    if (!number) {
        context.error(*given, in_quotes(given->value) + " is not a 32 bit mask");
        return false;
    }
    mask = static_cast<std::uint32_t>(*number);
    return true;
}

std::shared_ptr<const Target> parse_connmark(const Options& options, RuleContext& context) {
    auto target = std::make_shared<ConnmarkTarget>();
    unsigned operations = 0;
    for (const GivenOption& given : options.given) {
        if (given.name == "ctmask" || given.name == "nfmask" || given.name == "mask") {
            continue;
        }
        ++operations;
        if (given.name == "save-mark" || given.name == "restore-mark") {
            target->mode = given.name == "save-mark" ? ConnmarkTarget::Mode::Save
                                                     : ConnmarkTarget::Mode::Restore;
        } else if (const auto mark = parse_operation(given, context)) {
            target->value = mark->value;
            target->ct_mask = mark->mask;
        } else {
            return nullptr;
        }
    }
    if (operations != 1) {
        context.error(
            "target CONNMARK needs exactly one of --set-mark, --set-xmark, --and-mark, "
            "--or-mark, --xor-mark, --save-mark and --restore-mark");
        return nullptr;
    }
    const bool masks = options.has("mask") || options.has("ctmask") || options.has("nfmask");
    if (masks && target->mode == ConnmarkTarget::Mode::Set) {
        context.error("--mask, --ctmask and --nfmask go with --save-mark or --restore-mark");
        return nullptr;
    }
    const bool ok = read_mask(options, context, "mask", target->ct_mask) &&
                    read_mask(options, context, "mask", target->packet_mask) &&
                    read_mask(options, context, "ctmask", target->ct_mask) &&
                    read_mask(options, context, "nfmask", target->packet_mask);
    return ok ? target : nullptr;
}

}  // namespace

const TargetModule kMarkTarget = {"MARK", kBothFamilies, kMarkOptions, parse_mark_target};
const TargetModule kConnmarkTarget = {"CONNMARK", kBothFamilies, kConnmarkOptions, parse_connmark};

}  // namespace nsr::rules
