// -j CLASSIFY, AUDIT, LED, IDLETIMER, CONNSECMARK, SECMARK: what does something beside the packet:
// to a queueing discipline, an audit log, a lamp, a file in /sys, a security module. None of them
// is here, so that these count what they see. -j CHECKSUM does what a device would do later.
// kernel: xt_CLASSIFY.c, xt_AUDIT.c, xt_LED.c, xt_IDLETIMER.c, xt_CONNSECMARK.c, xt_SECMARK.c,
// xt_CHECKSUM.c
#include <algorithm>
#include <array>

#include "core/packet/rewrite.hpp"
#include "core/rules/recite.hpp"
#include "core/rules/targets/passing.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kClassifyOptions = std::to_array<OptionSpec>({{"set-class"}});
constexpr std::array kAuditOptions = std::to_array<OptionSpec>({{"type"}});
constexpr std::array kLedOptions =
    std::to_array<OptionSpec>({{"led-trigger-id"}, {"led-delay"}, {"led-always-blink", 0}});
constexpr std::array kIdletimerOptions =
    std::to_array<OptionSpec>({{"timeout"}, {"label"}, {"alarm", 0}});
constexpr std::array kConnsecmarkOptions = std::to_array<OptionSpec>({{"save", 0}, {"restore", 0}});
constexpr std::array kSecmarkOptions = std::to_array<OptionSpec>({{"selctx"}});
constexpr std::array kChecksumOptions = std::to_array<OptionSpec>({{"checksum-fill", 0}});

// --- forms --------------------------------------------------------------------------------------

// "1:a", always hexadecimal, as "0001:000a"; of greater numbers the lowest 16 bits count.
std::optional<std::string> class_handle(std::string_view value, Family) {
    const auto half = [](std::string_view digits) -> std::optional<std::string> {
        if (digits.starts_with("0x")) {
            digits.remove_prefix(2);
        }
        const auto number = parse_number("0x" + std::string(digits), 0xffffffff);
        if (!number) {
            return std::nullopt;
        }
        const std::string shown = hex(*number & 0xffff).substr(2);
        return std::string(4 - shown.size(), '0') + shown;
    };
    const std::size_t colon = value.find(':');
    const auto major = half(value.substr(0, colon));
    const auto minor =
        colon == std::string_view::npos ? std::nullopt : half(value.substr(colon + 1));
    return major && minor ? std::optional(*major + ":" + *minor) : std::nullopt;
}

std::optional<std::string> audit_type(std::string_view value, Family) {
    const std::string type = lower(value);
    const bool known = type == "accept" || type == "drop" || type == "reject";
    return known ? std::optional(type) : std::nullopt;
}

std::optional<std::string> led_delay(std::string_view value, Family family) {
    return lower(value).starts_with("inf") ? std::optional<std::string>("inf")
                                           : form::decimal<0, 0x7fffffff>(value, family);
}

// The name of a file in /sys. kernel: idletimer_check_sysfs_name
std::optional<std::string> timer_label(std::string_view value, Family family) {
    constexpr std::array<std::string_view, 5> kTaken = {".", "..", "power", "subsystem", "uevent"};
    constexpr std::size_t kMost = 27;
    value = value.substr(0, kMost);
    const bool is_name = !value.empty() && value.find('/') == std::string_view::npos &&
                         std::find(kTaken.begin(), kTaken.end(), value) == kTaken.end();
    return is_name ? form::text<kMost>(value, family) : std::nullopt;
}

constexpr std::uint64_t kLongestTimer = 2147482;  // seconds; kernel: INT_MAX / 1000 is too long
constexpr std::array kClassifyForms =
    std::to_array<OptionForm>({{"set-class", class_handle, "a handle such as 1:10"}});
constexpr std::array kAuditForms =
    std::to_array<OptionForm>({{"type", audit_type, "accept, drop or reject"}});
constexpr std::array kLedForms =
    std::to_array<OptionForm>({{"led-trigger-id", form::in_double_quotes},
                               {"led-delay", led_delay, "a number of milliseconds, or inf"},
                               {"led-always-blink"}});
constexpr std::array kIdletimerForms = std::to_array<OptionForm>(
    {{"timeout", form::decimal<1, kLongestTimer>, "a number of seconds from 1 to 2147482"},
     {"label", timer_label, "a name for a file in /sys, without \"/\""},
     {"alarm"}});
constexpr std::array kConnsecmarkForms = std::to_array<OptionForm>({{"save"}, {"restore"}});
constexpr std::array kSecmarkForms =
    std::to_array<OptionForm>({{"selctx", form::text<255>, "a security context"}});

// --- targets ------------------------------------------------------------------------------------

std::shared_ptr<const Target> passing(const Options& options, const RuleContext& context,
                                      std::span<const OptionForm> forms,
                                      std::initializer_list<std::string_view> needed,
                                      std::uint8_t hooks = kAllHooks) {
    const auto text = recite(options, context, forms);
    const bool complete = std::all_of(needed.begin(), needed.end(), [&](std::string_view name) {
        return has_one_of(options, context, {name});
    });
    return text && complete ? std::make_shared<PassingTarget>(options.module, *text, hooks)
                            : nullptr;
}

std::shared_ptr<const Target> parse_classify(const Options& options, RuleContext& context) {
    return passing(options, context, kClassifyForms, {"set-class"},
                   bit(Hook::Forward) | bit(Hook::Output) | bit(Hook::Postrouting));
}

std::shared_ptr<const Target> parse_audit(const Options& options, RuleContext& context) {
    return passing(options, context, kAuditForms, {"type"});
}

std::shared_ptr<const Target> parse_led(const Options& options, RuleContext& context) {
    return passing(options, context, kLedForms, {"led-trigger-id"});
}

std::shared_ptr<const Target> parse_idletimer(const Options& options, RuleContext& context) {
    return passing(options, context, kIdletimerForms, {"timeout", "label"});
}

std::shared_ptr<const Target> parse_secmark(const Options& options, RuleContext& context) {
    return passing(options, context, kSecmarkForms, {"selctx"});
}

// Copies security marks, of which there are none. kernel: connsecmark_tg
class ConnsecmarkTarget : public PassingTarget {
  public:
    using PassingTarget::PassingTarget;
    bool needs_tracking() const override { return true; }
};

std::shared_ptr<const Target> parse_connsecmark(const Options& options, RuleContext& context) {
    if (options.given.size() != 1) {
        context.error("target CONNSECMARK needs one of --save and --restore");
        return nullptr;
    }
    return std::make_shared<ConnsecmarkTarget>(
        options.module, recite(options, context, kConnsecmarkForms).value_or(""));
}

class ChecksumTarget : public Target {
  public:
    ChecksumTarget() : Target("CHECKSUM") {}
    std::string save() const override { return "--checksum-fill"; }
    // kernel: checksum_tg
    TargetVerdict apply(ActionParam& par, TableVerdict&) const override {
        if (par.packet.offload.gso == Gso::None) {
            rewrite::complete_checksum(par.packet);
        }
        return TargetVerdict::Continue;
    }
};

std::shared_ptr<const Target> parse_checksum(const Options& options, RuleContext& context) {
    return has_one_of(options, context, {"checksum-fill"}) ? std::make_shared<ChecksumTarget>()
                                                           : nullptr;
}

constexpr std::uint8_t kSecurityTables = bit(TableId::Mangle) | bit(TableId::Security);

}  // namespace

const TargetModule kClassifyTarget = {"CLASSIFY", kBothFamilies, kClassifyOptions, parse_classify};
const TargetModule kAuditTarget = {"AUDIT", kBothFamilies, kAuditOptions, parse_audit};
const TargetModule kLedTarget = {"LED", kBothFamilies, kLedOptions, parse_led};
const TargetModule kIdletimerTarget = {"IDLETIMER", kBothFamilies, kIdletimerOptions,
                                       parse_idletimer};
const TargetModule kConnsecmarkTarget = {"CONNSECMARK", kBothFamilies, kConnsecmarkOptions,
                                         parse_connsecmark, kSecurityTables};
const TargetModule kSecmarkTarget = {"SECMARK", kBothFamilies, kSecmarkOptions, parse_secmark,
                                     kSecurityTables};
const TargetModule kChecksumTarget = {"CHECKSUM", kBothFamilies, kChecksumOptions, parse_checksum,
                                      bit(TableId::Mangle)};

}  // namespace nsr::rules
