// Which matches and targets the words of a rule have loaded so far, and the options they know.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/options.hpp"
#include "core/wire/address.hpp"

namespace nsr::router {

// Nothing in it that a name of a chain or target cannot have, such as a blank.
bool fit_for_name(std::string_view name);

class RuleModules {
  public:
    explicit RuleModules(Family family) : family_(family) {}

    // False: there is none of this name in this family.
    bool load_match(std::string_view name);
    void load_target(std::string_view name);
    // The word behind -p.
    void set_protocol(const std::string& word, bool inverted);

    // The option of this name, or of this beginning unless `exact`, of what is loaded; else that of
    // the match of -p, which is loaded by it.
    const rules::OptionSpec* find(std::string_view name, bool exact);

    // A verdict or the name of a target: no name for a chain.
    static bool is_target(std::string_view name);

  private:
    Family family_;
    std::string protocol_;
    std::vector<std::span<const rules::OptionSpec>> loaded_;
    bool protocol_loaded_ = false;
};

}  // namespace nsr::router
