// -j MARK and CONNMARK: marks of packets and of connections.
// kernel: xt_mark.c, xt_connmark.c
#include <algorithm>
#include <array>
#include <cstdlib>

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
    {"left-shift-mark"},
    {"right-shift-mark"},
});

constexpr int kMostShift = 31;             // kernel: connmark_tg_check_v2
constexpr std::uint64_t kReadsShift = 32;  // libxt_CONNMARK: more, if another follows

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
    int shift = 0;  // to the left; negative: to the right

  private:
    [[nodiscard]] Mark shifted(Mark mark) const {
        return shift < 0 ? mark >> -shift : mark << shift;
    }
};

std::string ConnmarkTarget::save() const {
    std::string text = "--set-xmark " + hex(value) + "/" + hex(ct_mask);
    if (mode != Mode::Set) {
        text = std::string(mode == Mode::Save ? "--save-mark" : "--restore-mark") + " --nfmask " +
               hex(packet_mask) + " --ctmask " + hex(ct_mask);
    }
    if (shift != 0) {
        append(text, std::string(shift < 0 ? "--right" : "--left") + "-shift-mark " +
                         std::to_string(std::abs(shift)));
    }
    return text;
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
            par.conntrack.set_mark(meta.conn, shifted((connection & ~ct_mask) ^ value));
            break;
        case Mode::Save:
            par.conntrack.set_mark(meta.conn,
                                   (connection & ~ct_mask) ^ shifted(meta.mark & packet_mask));
            break;
        case Mode::Restore:
            meta.mark = (meta.mark & ~packet_mask) ^ shifted(connection & ct_mask);
            break;
    }
    return TargetVerdict::Continue;
}

bool is_operation(const GivenOption& given) {
    return given.name.ends_with("-mark") ? !given.name.ends_with("-shift-mark")
                                         : given.name == "set-xmark";
}

bool set_operation(const GivenOption& given, const RuleContext& context, ConnmarkTarget& target) {
    if (given.name == "save-mark" || given.name == "restore-mark") {
        target.mode =
            given.name == "save-mark" ? ConnmarkTarget::Mode::Save : ConnmarkTarget::Mode::Restore;
        return true;
    }
    const auto mark = parse_operation(given, context);
    target.value = mark ? mark->value : 0;
    target.ct_mask = mark ? mark->mask : 0;
    return mark.has_value();
}

// --mask, --ctmask, --nfmask and the shifts.
bool set_detail(const GivenOption& given, const RuleContext& context, ConnmarkTarget& target) {
    const bool is_mask = given.name.ends_with("mask");
    const auto number = parse_number(given.value, is_mask ? 0xffffffff : kReadsShift);
    if (!number) {
        context.error(given, in_quotes(given.value) + (is_mask ? " is not a 32 bit mask"
                                                               : " is not a shift of 0 to 31"));
        return false;
    }
    if (!is_mask) {
        const int bits = static_cast<int>(*number);
        target.shift = given.name == "left-shift-mark" ? bits : -bits;
        return true;
    }
    const auto mask = static_cast<std::uint32_t>(*number);
    target.ct_mask = given.name == "nfmask" ? target.ct_mask : mask;
    target.packet_mask = given.name == "ctmask" ? target.packet_mask : mask;
    return true;
}

// In the order in which they are given, since later ones go over earlier ones.
std::shared_ptr<const Target> parse_connmark(const Options& options, RuleContext& context) {
    auto target = std::make_shared<ConnmarkTarget>();
    if (std::count_if(options.given.begin(), options.given.end(), is_operation) != 1) {
        context.error(
            "target CONNMARK needs exactly one of --set-mark, --set-xmark, --and-mark, "
            "--or-mark, --xor-mark, --save-mark and --restore-mark");
        return nullptr;
    }
    if (options.has("mask") && (options.has("ctmask") || options.has("nfmask"))) {
        context.error("--mask stands for both --ctmask and --nfmask, and cannot stand beside them");
        return nullptr;
    }
    for (const GivenOption& given : options.given) {
        if (!(is_operation(given) ? set_operation(given, context, *target)
                                  : set_detail(given, context, *target))) {
            return nullptr;
        }
    }
    if (std::abs(target->shift) > kMostShift) {
        context.error("a shift has at most " + std::to_string(kMostShift) + " bits");
        return nullptr;
    }
    return target;
}

}  // namespace

const TargetModule kMarkTarget = {"MARK", kBothFamilies, kMarkOptions, parse_mark_target};
const TargetModule kConnmarkTarget = {"CONNMARK", kBothFamilies, kConnmarkOptions, parse_connmark};

}  // namespace nsr::rules
