// -j LOG, NFLOG and TRACE.
// kernel: xt_LOG.c, xt_NFLOG.c, xt_TRACE.c
#include <algorithm>
#include <array>

#include "core/rules/targets/log_packet.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kLogOptions = std::to_array<OptionSpec>({
    {"log-level"},
    {"log-prefix"},
    {"log-tcp-sequence", 0},
    {"log-tcp-options", 0},
    {"log-ip-options", 0},
    {"log-uid", 0},
    {"log-macdecode", 0},
});

struct Level {
    std::string_view name;
    std::uint8_t number;
};
constexpr std::array kLevels = std::to_array<Level>({
    {"alert", 1},
    {"crit", 2},
    {"debug", 7},
    {"emerg", 0},
    {"error", 3},
    {"info", 6},
    {"notice", 5},
    {"panic", 0},
    {"warning", 4},
});
constexpr std::uint8_t kDefaultLevel = 4;
constexpr std::size_t kMaxPrefix = 29;
constexpr std::size_t kMaxLine = 1016;  // kernel: S_SIZE less the level and the end
constexpr std::size_t kMaxNflogPrefix = 63;

class LogTarget : public Target {
  public:
    LogTarget() : Target("LOG") {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;

    std::uint8_t level = kDefaultLevel;
    std::string prefix;
    LogDetail detail;
    bool uid = false;
    bool mac_decode = false;
};

std::string LogTarget::save() const {
    std::string text;
    if (!prefix.empty()) {
        append(text, "--log-prefix " + quoted(prefix));
    }
    if (level != kDefaultLevel) {
        append(text, "--log-level " + std::to_string(level));
    }
    const std::array<std::pair<bool, std::string_view>, 5> flags = {
        {{detail.tcp_sequence, "--log-tcp-sequence"},
         {detail.tcp_options, "--log-tcp-options"},
         {detail.ip_options, "--log-ip-options"},
         {uid, "--log-uid"},
         {mac_decode, "--log-macdecode"}}};
    for (const auto& [given, option] : flags) {
        if (given) {
            append(text, option);
        }
    }
    return text;
}

TargetVerdict LogTarget::apply(ActionParam& par, TableVerdict&) const {
    std::string line = prefix + log_text(par.packet, par.hook, par.network, detail);
    line.resize(std::min(line.size(), kMaxLine));
    par.log.log(par.now, static_cast<LogLevel>(level), line);
    return TargetVerdict::Continue;
}

std::optional<std::uint8_t> parse_level(std::string_view text) {
    if (const auto number = parse_number(text, 7)) {
        return static_cast<std::uint8_t>(*number);
    }
    const auto* found = std::find_if(kLevels.begin(), kLevels.end(),
                                     [&](const Level& level) { return level.name == text; });
    return found == kLevels.end() ? std::nullopt : std::optional(found->number);
}

// What is longer than the kernel's field is cut.
bool read_prefix(const Options& options, const RuleContext& context, std::string_view option,
                 std::pair<std::size_t, std::string*> into) {
    const GivenOption* given = options.find(option);
    if (given == nullptr) {
        return true;
    }
    if (given->value.empty() || given->value.find('\n') != std::string::npos) {
        context.error(*given, "a prefix has at least one character and no line break");
        return false;
    }
    *into.second = given->value.substr(0, into.first);
    return true;
}

std::shared_ptr<const Target> parse_log(const Options& options, RuleContext& context) {
    auto target = std::make_shared<LogTarget>();
    if (const GivenOption* given = options.find("log-level")) {
        const auto level = parse_level(given->value);
        if (!level) {
            context.error(*given, "unknown log level " + in_quotes(given->value) +
                                      "; known are 0 to 7, emerg, alert, crit, error, warning,"
                                      " notice, info and debug");
            return nullptr;
        }
        target->level = *level;
    }
    if (!read_prefix(options, context, "log-prefix", {kMaxPrefix, &target->prefix})) {
        return nullptr;
    }
    target->detail = {options.has("log-tcp-sequence"), options.has("log-tcp-options"),
                      options.has("log-ip-options")};
    target->uid = options.has("log-uid");
    target->mac_decode = options.has("log-macdecode");
    return target;
}

constexpr std::array kNflogOptions = std::to_array<OptionSpec>(
    {{"nflog-group"}, {"nflog-prefix"}, {"nflog-range"}, {"nflog-size"}, {"nflog-threshold"}});

class NflogTarget : public Target {
  public:
    NflogTarget() : Target("NFLOG") {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;

    std::uint32_t group = 0;
    std::string prefix;
    std::optional<std::uint64_t> size;
    std::uint64_t range = 0;  // never did anything
    std::uint32_t threshold = 0;
};

// Where nobody listens the rule counts, and no more. kernel: nflog_tg
TargetVerdict NflogTarget::apply(ActionParam& par, TableVerdict&) const {
    if (par.packet_log != nullptr) {
        const auto wanted = size ? std::optional(static_cast<std::uint32_t>(*size)) : std::nullopt;
        par.packet_log->packet_logged(
            {par.packet, static_cast<std::uint16_t>(group), prefix, wanted, par.hook, par.now});
    }
    return TargetVerdict::Continue;
}

std::string NflogTarget::save() const {
    std::string text;
    if (!prefix.empty()) {
        append(text, "--nflog-prefix " + quoted(prefix));
    }
    if (group != 0) {
        append(text, "--nflog-group " + std::to_string(group));
    }
    if (size) {
        append(text, "--nflog-size " + std::to_string(*size));
    }
    if (range != 0) {
        append(text, "--nflog-range " + std::to_string(range));
    }
    if (threshold != 0) {
        append(text, "--nflog-threshold " + std::to_string(threshold));
    }
    return text;
}

std::shared_ptr<const Target> parse_nflog(const Options& options, RuleContext& context) {
    auto target = std::make_shared<NflogTarget>();
    target->group = static_cast<std::uint32_t>(
        read_number(options, context, "nflog-group", 0, 0xffff).value_or(0));
    target->threshold = static_cast<std::uint32_t>(
        read_number(options, context, "nflog-threshold", 0, 0xffff).value_or(0));
    target->size = read_number(options, context, "nflog-size", 0, 0xffffffff);
    target->range = read_number(options, context, "nflog-range", 0, 0xffffffff).value_or(0);
    if (options.has("nflog-size") && options.has("nflog-range")) {
        context.error("--nflog-size and --nflog-range exclude each other");
        return nullptr;
    }
    if (!read_prefix(options, context, "nflog-prefix", {kMaxNflogPrefix, &target->prefix})) {
        return nullptr;
    }
    return target;
}

// `replay --trace` shows every rule to every packet; here it only counts.
class TraceTarget : public Target {
  public:
    TraceTarget() : Target("TRACE") {}
    TargetVerdict apply(ActionParam&, TableVerdict&) const override {
        return TargetVerdict::Continue;
    }
};

std::shared_ptr<const Target> parse_trace(const Options&, RuleContext&) {
    return std::make_shared<TraceTarget>();
}

}  // namespace

const TargetModule kLogTarget = {"LOG", kBothFamilies, kLogOptions, parse_log};
const TargetModule kNflogTarget = {"NFLOG", kBothFamilies, kNflogOptions, parse_nflog};
const TargetModule kTraceTarget = {"TRACE", kBothFamilies, {}, parse_trace, bit(TableId::Raw)};

}  // namespace nsr::rules
