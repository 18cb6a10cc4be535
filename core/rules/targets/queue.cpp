// -j NFQUEUE, QUEUE: packets for a program to judge. None listens: a packet is dropped, or goes on
// to what follows the table if the rule says so.
// kernel: xt_NFQUEUE.c, nf_queue
#include <array>

#include "core/rules/recite.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kNfqueueOptions = std::to_array<OptionSpec>(
    {{"queue-num"}, {"queue-balance"}, {"queue-bypass", 0}, {"queue-cpu-fanout", 0}});
constexpr std::uint64_t kLastQueue = 0xffff;

class QueueTarget : public Target {
  public:
    QueueTarget(std::string_view name, std::string text, bool bypass)
        : Target(name), text_(std::move(text)), bypass_(bypass) {}
    std::string save() const override { return text_; }
    TargetVerdict apply(ActionParam&, TableVerdict&) const override {
        return bypass_ ? TargetVerdict::Accept : TargetVerdict::Drop;
    }

  private:
    std::string text_;
    bool bypass_;
};

// "0:3"; an end that is not there is the first or the last queue.
std::optional<std::string> queues(std::string_view value, Family) {
    const std::size_t colon = value.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const auto end = [](std::string_view text, std::uint64_t absent) {
        return text.empty() ? std::optional(absent) : parse_number(text, kLastQueue);
    };
    const auto first = end(value.substr(0, colon), 0);
    const auto last = end(value.substr(colon + 1), kLastQueue);
    const bool several = first && last && *first < *last && *last - *first < kLastQueue;
    return several ? std::optional(std::to_string(*first) + ":" + std::to_string(*last))
                   : std::nullopt;
}

constexpr std::array kNfqueueForms = std::to_array<OptionForm>(
    {{"queue-num", form::decimal<0, kLastQueue>, "a number from 0 to 65535"},
     {"queue-balance", queues, "two numbers such as 0:3, at most 65535 queues"},
     {"queue-bypass"},
     {"queue-cpu-fanout"}});

std::shared_ptr<const Target> parse_nfqueue(const Options& options, RuleContext& context) {
    auto text = recite(options, context, kNfqueueForms);
    if (!text) {
        return nullptr;
    }
    const bool balances = options.has("queue-balance");
    if (balances && options.has("queue-num")) {
        context.error("--queue-num and --queue-balance exclude each other");
        return nullptr;
    }
    if (!balances && options.has("queue-cpu-fanout")) {
        context.error("--queue-cpu-fanout needs --queue-balance");
        return nullptr;
    }
    if (!balances && !options.has("queue-num")) {
        *text = "--queue-num 0" + (text->empty() ? "" : " " + *text);
    }
    return std::make_shared<QueueTarget>(options.module, *text, options.has("queue-bypass"));
}

std::shared_ptr<const Target> parse_queue(const Options& options, RuleContext&) {
    return std::make_shared<QueueTarget>(options.module, "", false);
}

}  // namespace

const TargetModule kNfqueueTarget = {"NFQUEUE", kBothFamilies, kNfqueueOptions, parse_nfqueue};
const TargetModule kQueueTarget = {"QUEUE", kBothFamilies, {}, parse_queue};

}  // namespace nsr::rules
