#include "router/control/rules_json.hpp"

#include <boost/json.hpp>
#include <utility>

#include "core/base/utf8.hpp"
#include "core/rules/save.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

// "rules.v4:12", or "by command"
std::string origin(const SourceLocation& where) {
    return where.line == 0 ? where.file : where.file + ":" + std::to_string(where.line);
}

json::object counters_of(const rules::RuleCounters& counters) {
    return {{"packets", counters.packets}, {"bytes", counters.bytes}};
}

class Writer {
  public:
    explicit Writer(const rules::Counted& counted) : counted_(counted) {}

    void add_family(Family family) {
        for (std::size_t i = 0; i < rules::kTableCount; ++i) {
            const auto id = static_cast<rules::TableId>(i);
            const std::size_t chains = counted_.ruleset.table(family, id).chains.size();
            for (std::size_t chain = 0; chain < chains; ++chain) {
                add_chain(family, id, chain);
            }
        }
    }
    std::string text() { return "[" + std::move(out_) + "]\n"; }

  private:
    void add_chain(Family family, rules::TableId id, std::size_t number) {
        const rules::Chain& chain = counted_.ruleset.table(family, id).chains[number];
        const rules::TableCounters& counters = counted_.counters.table(family, id);
        json::object heading{{"family", family == Family::Ipv6 ? "ipv6" : "ipv4"},
                             {"table", rules::name_of(id)},
                             {"chain", as_utf8(chain.name)}};
        if (chain.policy != rules::Policy::None) {
            json::object policy = counters_of(counters.policy(number));
            policy["verdict"] = rules::name_of(chain.policy);
            heading["policy"] = std::move(policy);
        }
        std::string text = json::serialize(heading);
        text.pop_back();  // the rules stand in the same object
        out_ += (out_.empty() ? "" : ",\n") + text + ",\"rules\":[";
        for (std::size_t i = 0; i < chain.rules.size(); ++i) {
            add_rule(chain.rules[i], counters.rule(number, i), i);
        }
        out_ += "]}";
    }

    void add_rule(const rules::Rule& rule, const rules::RuleCounters& counters,
                  std::size_t number) {
        json::object row = counters_of(counters);
        row["id"] = raw(rule.id);
        row["number"] = number + 1;
        row["rule"] = as_utf8(rules::rule_text({}, rule));
        row["from"] = as_utf8(origin(rule.where));
        out_ += (number == 0 ? "\n  " : ",\n  ") + json::serialize(row);
    }

    const rules::Counted& counted_;
    std::string out_;
};

}  // namespace

std::string rules_json_text(const rules::Counted& counted, const std::vector<Family>& families) {
    Writer writer(counted);
    for (const Family family : families) {
        writer.add_family(family);
    }
    return writer.text();
}

}  // namespace nsr::router
