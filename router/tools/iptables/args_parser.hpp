// The words of iptables(8), one after the other; see command.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/tools/iptables/command.hpp"
#include "router/tools/iptables/options.hpp"
#include "router/tools/iptables/rule_words.hpp"

namespace nsr::router {

// As getopt_long reads it for the tool: options in order, single letters together, the argument of
// one in the same word or the next.
class ArgsParser {
  public:
    ArgsParser(Family family, const std::vector<std::string>& words, const rules::HostNames& names)
        : words_(words), modules_(family) {
        args_.family = family;
        args_.names = names;
    }

    Result<IptablesArgs, IptablesAnswer> parse();

  private:
    void word();
    void letters(const std::string& word);
    void long_option(const std::string& word);
    void take(const IptablesOption& option, std::optional<std::string> value);
    void take_command(char letter, const std::string& value);
    void take_rule_option(char letter, const std::string& value);
    bool take_flag(char letter, const std::optional<std::string>& value);
    void take_module_option(const rules::OptionSpec& spec, std::string_view name,
                            const std::optional<std::string>& inline_value);

    void command(std::uint16_t command, std::uint16_t along = 0);
    void option(char letter, bool invertible = false);
    void chain_name(const std::string& name);
    void rule_number();
    void second_name(std::string_view complaint);
    void protocol(std::string name);
    void interface(char letter, const std::string& name);
    void target(const std::string& name, bool is_goto);
    void match(const std::string& name);
    void counters(const std::string& value);
    void wait(const std::optional<std::string>& value);
    void wait_interval(const std::string& value);
    void push(std::string_view option, const std::string& value);

    void finish();
    void check_addresses(const std::string& list, bool inverted);
    void check_mask(const std::string& part, std::size_t slash);

    [[nodiscard]] bool more() const {
        return at_ < words_.size() && !words_[at_].starts_with('-') &&
               !words_[at_].starts_with('!');
    }
    void fail(const std::string& message) {
        if (!answer_) {
            answer_ = wrong_words(args_.family, message);
        }
    }

    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    bool inverted_ = false;
    bool rest_ = false;          // behind "--"
    std::uint16_t options_ = 0;  // by kOptionLetters
    std::string source_, destination_;
    bool addresses_inverted_ = false;
    bool wait_ = false;
    bool wait_interval_ = false;
    RuleModules modules_;
    IptablesArgs args_;
    std::optional<IptablesAnswer> answer_;
};

}  // namespace nsr::router
