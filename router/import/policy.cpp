// Rules of `ip rule show`: "49:\tnot from 10.0.0.0/24 iif v0 lookup 100".
#include <algorithm>
#include <optional>

#include "router/base/listing.hpp"
#include "router/import/routes.hpp"

namespace nsr::router {
namespace {

constexpr std::string_view kValues[] = {
    "to",      "fwmark", "iif",   "oif",  "tos",
    "ipproto", "sport",  "dport", "goto", "suppress_prefixlength"};
constexpr std::string_view kActions[] = {"nop", "blackhole", "prohibit", "unreachable"};
// Those that every machine has.
constexpr std::string_view kUsual[] = {"0: from all lookup local", "32766: from all lookup main",
                                       "32767: from all lookup default"};

template <std::size_t kSize>
bool one_of(std::string_view word, const std::string_view (&words)[kSize]) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words) {
        text.append(text.empty() ? "" : " ").append(word);
    }
    return text;
}

class Reader {
  public:
    Reader(const std::vector<std::string_view>& words, const Dumps& dumps)
        : words_(words), dumps_(dumps) {}

    // The lines of a [[rule]]; nothing: unknown() says why.
    std::optional<std::vector<std::string>> read(std::string_view family) {
        put("family", family);
        put("priority", words_[0].substr(0, words_[0].size() - 1));
        for (at_ = 1; at_ < words_.size(); ++at_) {
            if (!word(words_[at_])) {
                unknown_ = words_[at_];
                return std::nullopt;
            }
        }
        return lines_;
    }
    [[nodiscard]] const std::string& unknown() const { return unknown_; }

  private:
    std::string_view value() {
        return at_ + 1 < words_.size() ? words_[++at_] : std::string_view{};
    }
    void put(std::string_view key, std::string_view text) {
        lines_.push_back(std::string(key) + " = " + toml_string(text));
    }

    bool word(std::string_view key) {
        if (key == "not") {
            lines_.emplace_back("not = true");
        } else if (key == "from") {
            if (const std::string_view source = value(); source != "all") {
                put("from", source);
            }
        } else if (one_of(key, kValues)) {
            put(key, value());
        } else if (key == "lookup") {
            put("table", table_here(dumps_, value()));
        } else if (one_of(key, kActions)) {
            put("action", key);
        } else if (key == "proto") {
            value();  // who made it
        } else {
            return key == "[detached]" || key == "[unresolved]";
        }
        return true;
    }

    const std::vector<std::string_view>& words_;
    const Dumps& dumps_;
    std::size_t at_ = 0;
    std::vector<std::string> lines_ = {"[[rule]]"};
    std::string unknown_;
};

}  // namespace

void add_policy_rules(const Dumps& dumps, Draft& draft) {
    for (const auto& [id, family] :
         {std::pair(DumpId::Rules4, "ipv4"), std::pair(DumpId::Rules6, "ipv6")}) {
        const Dump& dump = dumps[id];
        for (std::size_t i = 0; i < dump.lines.size(); ++i) {
            const auto words = words_of(dump.lines[i]);
            const std::string text = joined(words);
            if (words.empty() || one_of(text, kUsual)) {
                continue;
            }
            if (!words[0].ends_with(':')) {
                draft.leave_out(dump.at(i), "this is no line of `ip rule`: " + text);
                continue;
            }
            Reader reader(words, dumps);
            if (auto lines = reader.read(family)) {
                draft.add({PieceKind::Rule, dump.at(i), "routing rule " + text, std::move(*lines)});
            } else {
                draft.leave_out(dump.at(i), "routing rule " + text + ": a rule has no \"" +
                                                reader.unknown() + "\" here");
            }
        }
    }
}

}  // namespace nsr::router
