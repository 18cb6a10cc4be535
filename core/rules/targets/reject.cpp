// -j REJECT: which answer the pipeline is to send.
// kernel: ipt_REJECT.c, ip6t_REJECT.c
#include <array>

#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

struct Answer {
    std::string_view name;
    std::string_view alias;
    RejectWith with;
};

constexpr std::array kAnswers4 = std::to_array<Answer>({
    {"icmp-net-unreachable", "net-unreach", RejectWith::NetUnreachable},
    {"icmp-host-unreachable", "host-unreach", RejectWith::HostUnreachable},
    {"icmp-proto-unreachable", "proto-unreach", RejectWith::ProtocolUnreachable},
    {"icmp-port-unreachable", "port-unreach", RejectWith::PortUnreachable},
    {"icmp-net-prohibited", "net-prohib", RejectWith::NetProhibited},
    {"icmp-host-prohibited", "host-prohib", RejectWith::HostProhibited},
    {"tcp-reset", "tcp-rst", RejectWith::TcpReset},
    {"icmp-admin-prohibited", "admin-prohib", RejectWith::AdminProhibited},
});

constexpr std::array kAnswers6 = std::to_array<Answer>({
    {"icmp6-no-route", "no-route", RejectWith::NoRoute6},
    {"icmp6-adm-prohibited", "adm-prohibited", RejectWith::AdminProhibited6},
    {"icmp6-addr-unreachable", "addr-unreach", RejectWith::AddressUnreachable6},
    {"icmp6-port-unreachable", "port-unreach", RejectWith::PortUnreachable6},
    {"tcp-reset", "tcp-reset", RejectWith::TcpReset},
    {"icmp6-policy-fail", "policy-fail", RejectWith::PolicyFail6},
    {"icmp6-reject-route", "reject-route", RejectWith::RejectRoute6},
});

constexpr std::array kRejectOptions = std::to_array<OptionSpec>({{"reject-with"}});

class RejectTarget : public Target {
  public:
    explicit RejectTarget(const Answer& answer) : Target("REJECT"), answer_(answer) {}
    std::string save() const override { return "--reject-with " + std::string(answer_.name); }
    TargetVerdict apply(ActionParam&, TableVerdict& verdict) const override {
        verdict.reject = answer_.with;
        return TargetVerdict::Reject;
    }
    std::uint8_t hooks() const override {
        return bit(Hook::Input) | bit(Hook::Forward) | bit(Hook::Output);
    }

  private:
    Answer answer_;
};

std::shared_ptr<const Target> parse_reject(const Options& options, RuleContext& context) {
    const std::span<const Answer> answers =
        context.v6() ? std::span<const Answer>(kAnswers6) : std::span<const Answer>(kAnswers4);
    const GivenOption* given = options.find("reject-with");
    if (given == nullptr) {
        return std::make_shared<RejectTarget>(answers[3]);
    }
    const std::string wanted = lower(given->value);
    for (const Answer& answer : answers) {
        if (!answer.name.starts_with(wanted) && !answer.alias.starts_with(wanted)) {
            continue;
        }
        if (answer.with == RejectWith::TcpReset && !context.only(proto::kTcp)) {
            context.refuse(*given, "--reject-with tcp-reset needs \"-p tcp\" in the same rule");
            return nullptr;
        }
        return std::make_shared<RejectTarget>(answer);
    }
    std::vector<std::string_view> names;
    for (const Answer& answer : answers) {
        names.push_back(answer.name);
    }
    context.error(*given, "unknown reject type " + in_quotes(given->value) +
                              did_you_mean(given->value, names));
    return nullptr;
}

}  // namespace

const TargetModule kRejectTarget = {"REJECT", kBothFamilies, kRejectOptions, parse_reject,
                                    bit(TableId::Filter)};

}  // namespace nsr::rules
