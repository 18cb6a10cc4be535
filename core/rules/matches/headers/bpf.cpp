// -m bpf: a program of classic BPF says whether a packet matches.
// kernel: xt_bpf.c
#include <array>

#include "core/rules/matches/headers/bpf_program.hpp"
#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kBpfOptions = std::to_array<OptionSpec>({{"bytecode"}, {"object-pinned"}});

class BpfMatch : public Match {
  public:
    explicit BpfMatch(BpfProgram program) : Match("bpf"), program_(std::move(program)) {}
    std::string save() const override { return "--bytecode \"" + to_string(program_) + "\""; }
    MatchResult test(ActionParam& par) const override {
        return yes_if(run_bpf(program_, par) != 0);
    }

  private:
    BpfProgram program_;
};

std::shared_ptr<const Match> parse_bpf_match(const Options& options, RuleContext& context) {
    if (const GivenOption* pinned = options.find("object-pinned")) {
        context.error(*pinned,
                      "--object-pinned is not supported: a program that is pinned in the kernel "
                      "cannot run here; write --bytecode");
        return nullptr;
    }
    const GivenOption* given = options.find("bytecode");
    if (given == nullptr) {
        context.error("match \"bpf\" needs --bytecode");
        return nullptr;
    }
    auto program = parse_bpf(given->value);
    if (!program) {
        context.error(*given, "--bytecode: " + in_quotes(given->value) +
                                  " is not a BPF program: the number of instructions (1 to 64), "
                                  "then \",CODE JT JF K\" for each");
        return nullptr;
    }
    if (const std::string problem = check_bpf(*program); !problem.empty()) {
        context.error(*given, "the BPF program cannot run: " + problem);
        return nullptr;
    }
    return std::make_shared<BpfMatch>(std::move(*program));
}

}  // namespace

const MatchModule kBpfMatch = {"bpf", kBothFamilies, kBpfOptions, parse_bpf_match};

}  // namespace nsr::rules
