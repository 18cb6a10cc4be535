// Changes of a ruleset: what they refuse, what they leave alone, and which rules stay themselves.
#include "core/rules/edit.hpp"

#include <doctest/doctest.h>

#include "core/rules/language/parse.hpp"
#include "core/rules/language/restore.hpp"
#include "core/rules/save.hpp"

using namespace nsr;
using rules::CountersOf;
using rules::EditError;

namespace {

rules::Ruleset parsed(std::string_view text) {
    rules::Ruleset ruleset;
    for (const ConfigError& error : rules::parse_save(text, "before", Family::Ipv4, ruleset)) {
        FAIL(to_string(error));
    }
    return ruleset;
}

std::string forward(const std::string& lines) {
    return "*filter\n" + lines + "\nCOMMIT\n";
}

constexpr rules::ChainAt kForward{Family::Ipv4, rules::TableId::Filter, "FORWARD"};

rules::ChainAt named(std::string_view chain) {
    return {Family::Ipv4, rules::TableId::Filter, chain};
}

const rules::Table& filter(const rules::Ruleset& ruleset) {
    return ruleset.table(Family::Ipv4, rules::TableId::Filter);
}

const rules::Chain& chain(const rules::Ruleset& ruleset, std::string_view name) {
    const rules::Chain* found = filter(ruleset).find(name);
    REQUIRE(found != nullptr);
    return *found;
}

// A rule like the only one of FORWARD in this text.
rules::Rule rule(std::string_view text) {
    const rules::Ruleset ruleset = parsed(forward("-A FORWARD " + std::string(text)));
    return chain(ruleset, "FORWARD").rules[0];
}

std::vector<std::string> texts(const rules::Ruleset& ruleset, std::string_view name = "FORWARD") {
    std::vector<std::string> lines;
    for (const rules::Rule& each : chain(ruleset, name).rules) {
        lines.push_back(rules::rule_text({}, each));
    }
    return lines;
}

using Lines = std::vector<std::string>;

EditError refusal(const rules::Edited& edited) {
    REQUIRE(!edited.ok());
    return edited.error();
}

rules::Ruleset three_rules() {
    return parsed(
        forward("-A FORWARD -s 10.0.0.1\n-A FORWARD -s 10.0.0.2\n-A FORWARD -s 10.0.0.3"));
}

}  // namespace

TEST_CASE("a rule is inserted, replaced and deleted by its number") {
    rules::Ruleset ruleset = three_rules();
    const rules::Ruleset before = ruleset;
    CHECK(rules::insert_rule(ruleset, kForward, 2, rule("-s 10.0.0.9")).ok());
    CHECK(rules::insert_rule(ruleset, kForward, 5, rule("-s 10.0.0.8")).ok());
    CHECK(rules::replace_rule(ruleset, kForward, 1, rule("-s 10.0.0.7")).ok());
    CHECK(rules::delete_rule(ruleset, kForward, 3).ok());
    CHECK(texts(ruleset) ==
          Lines{"-s 10.0.0.7/32", "-s 10.0.0.9/32", "-s 10.0.0.3/32", "-s 10.0.0.8/32"});
    CHECK(chain(ruleset, "FORWARD").rules[2].id == chain(before, "FORWARD").rules[2].id);
    CHECK(texts(before) == texts(three_rules()));  // a copy is a copy

    CHECK(refusal(rules::insert_rule(ruleset, kForward, 6, rule("-s 1.1.1.1"))) ==
          EditError::IndexTooBig);
    CHECK(refusal(rules::insert_rule(ruleset, kForward, 0, rule("-s 1.1.1.1"))) ==
          EditError::IndexTooBig);
    CHECK(refusal(rules::replace_rule(ruleset, kForward, 5, rule("-s 1.1.1.1"))) ==
          EditError::IndexTooBig);
    CHECK(refusal(rules::delete_rule(ruleset, kForward, 5)) == EditError::IndexTooBig);
    CHECK(refusal(rules::delete_rule(ruleset, named("nowhere"), 1)) == EditError::NoChain);
    CHECK(refusal(rules::append_rule(ruleset, named("nowhere"), rule("-s 1.1.1.1"))) ==
          EditError::NoChain);
}

TEST_CASE("no two rules ever have the same id") {
    rules::Ruleset ruleset = three_rules();
    CHECK(rules::delete_rule(ruleset, kForward, 3).ok());
    CHECK(rules::append_rule(ruleset, kForward, rule("-s 10.0.0.3")).ok());
    CHECK(rules::replace_rule(ruleset, kForward, 1, rule("-s 10.0.0.1")).ok());
    const rules::Ruleset before = three_rules();
    for (const rules::Rule& old : chain(before, "FORWARD").rules) {
        CHECK(chain(ruleset, "FORWARD").rules[0].id != old.id);
        CHECK(chain(ruleset, "FORWARD").rules[2].id != old.id);
    }
}

TEST_CASE("a rule is found by what it says, whatever it counted") {
    const rules::Ruleset ruleset = three_rules();
    rules::Rule like = rule("-s 10.0.0.2");
    like.counters = {5, 500};
    CHECK(rules::find_rule(ruleset, kForward, like) == std::size_t{2});
    CHECK(!rules::find_rule(ruleset, kForward, rule("-s 10.0.0.2 -j ACCEPT")));
    CHECK(!rules::find_rule(ruleset, kForward, rule("-d 10.0.0.2")));
    CHECK(!rules::find_rule(ruleset, named("nowhere"), like));
}

TEST_CASE("user chains come, are renamed with the jumps to them, and go when nobody needs them") {
    rules::Ruleset ruleset = three_rules();
    CHECK(rules::add_chain(ruleset, named("web")).ok());
    CHECK(refusal(rules::add_chain(ruleset, named("web"))) == EditError::ChainExists);
    CHECK(refusal(rules::add_chain(ruleset, named("INPUT"))) == EditError::ChainExists);
    const rules::Ruleset jumping =
        parsed("*filter\n:web -\n-A FORWARD -j web\n-A FORWARD -g web\nCOMMIT\n");
    rules::Ruleset renamed = jumping;
    CHECK(rules::rename_chain(renamed, named("web"), "www").ok());
    CHECK(texts(renamed) == Lines{"-j www", "-g www"});
    CHECK(chain(renamed, "FORWARD").rules[0].id == chain(jumping, "FORWARD").rules[0].id);
    CHECK(rules::references(filter(renamed), "www") == 2);
    CHECK(refusal(rules::rename_chain(renamed, named("web"), "x")) == EditError::NoChain);
    CHECK(refusal(rules::rename_chain(renamed, named("FORWARD"), "x")) == EditError::NoChain);
    CHECK(refusal(rules::rename_chain(renamed, named("www"), "INPUT")) == EditError::ChainExists);

    CHECK(refusal(rules::delete_chain(renamed, named("www"))) == EditError::ChainInUse);
    CHECK(rules::flush_chain(renamed, kForward).ok());
    CHECK(rules::append_rule(renamed, named("www"), rule("-s 10.0.0.1")).ok());
    CHECK(refusal(rules::delete_chain(renamed, named("www"))) == EditError::ChainNotEmpty);
    CHECK(rules::flush_chain(renamed, named("www")).ok());
    CHECK(rules::delete_chain(renamed, named("www")).ok());
    CHECK(refusal(rules::delete_chain(renamed, named("www"))) == EditError::NoChain);
    CHECK(refusal(rules::delete_chain(renamed, kForward)) == EditError::BuiltIn);
    CHECK(refusal(rules::flush_chain(renamed, named("www"))) == EditError::NoChain);
}

TEST_CASE("a policy is of a built-in chain, and counts anew") {
    rules::Ruleset ruleset = three_rules();
    CHECK(rules::set_policy(ruleset, kForward, rules::Policy::Drop, {5, 6}).ok());
    CHECK(chain(ruleset, "FORWARD").policy == rules::Policy::Drop);
    CHECK(chain(ruleset, "FORWARD").counters.bytes == 6);
    CHECK(rules::add_chain(ruleset, named("web")).ok());
    CHECK(refusal(rules::set_policy(ruleset, named("web"), rules::Policy::Drop)) ==
          EditError::NotBuiltIn);
}

TEST_CASE("counters are set to 0 and count on from there") {
    rules::Ruleset ruleset = parsed(
        "*filter\n:FORWARD ACCEPT [3:4]\n[5:6] -A FORWARD\n"
        "[7:8] -A FORWARD -j ACCEPT\nCOMMIT\n");
    const std::uint64_t counting = chain(ruleset, "FORWARD").rules[1].counting;
    CHECK(rules::zero_rule(ruleset, kForward, 2).ok());
    CHECK(chain(ruleset, "FORWARD").rules[0].counters.bytes == 6);
    CHECK(chain(ruleset, "FORWARD").rules[1].counters.bytes == 0);
    CHECK(chain(ruleset, "FORWARD").rules[1].counting != counting);
    CHECK(refusal(rules::zero_rule(ruleset, kForward, 3)) == EditError::IndexTooBig);
    CHECK(rules::zero_chain(ruleset, kForward).ok());
    CHECK(chain(ruleset, "FORWARD").rules[0].counters.bytes == 0);
    CHECK(chain(ruleset, "FORWARD").counters.bytes == 0);
    CHECK(refusal(rules::zero_chain(ruleset, named("nowhere"))) == EditError::NoChain);
}

TEST_CASE("a rule that a new text has as well is the same rule, wherever it stands in its chain") {
    const rules::Ruleset before = parsed(
        "*filter\n[1:2] -A FORWARD -m limit --limit 5/min\n[3:4] -A FORWARD -s 10.0.0.1\n"
        "[5:6] -A FORWARD -s 10.0.0.1\n-A INPUT -s 10.0.0.2\nCOMMIT\n");
    rules::Ruleset after = parsed(
        "*filter\n-A FORWARD -s 10.0.0.1\n-A FORWARD -s 10.0.0.3\n[8:9] -A FORWARD -m limit --limit"
        " 5/min\n-A FORWARD -s 10.0.0.2\nCOMMIT\n");
    rules::Ruleset given = after;
    rules::keep_identity(before, after, CountersOf::Kept);
    const auto& old = chain(before, "FORWARD").rules;
    const auto& now = chain(after, "FORWARD").rules;
    CHECK(now[0].id == old[1].id);
    CHECK(now[0].counters.packets == 3);
    CHECK(now[2].id == old[0].id);
    CHECK(now[2].matches == old[0].matches);  // so that its tokens go on
    CHECK(now[2].counters.packets == 1);
    CHECK(now[2].where.line == 4);
    CHECK(raw(now[1].id) >= raw(before.next_id));
    CHECK(raw(now[3].id) >= raw(before.next_id));  // that of INPUT is another chain's
    CHECK(now[1].id != now[3].id);

    rules::keep_identity(before, given, CountersOf::Given);
    CHECK(chain(given, "FORWARD").rules[2].id == old[0].id);
    CHECK(chain(given, "FORWARD").rules[2].counters.packets == 8);
    CHECK(chain(given, "FORWARD").rules[2].counting != old[0].counting);
}

TEST_CASE("what a text that is read again has alike is one with what there was, not another one") {
    const auto same = [](const rules::Ruleset& a, const rules::Ruleset& b, const char* name) {
        const rules::Table& of_a = a.table(Family::Ipv4, rules::TableId::Filter);
        const rules::Table& of_b = b.table(Family::Ipv4, rules::TableId::Filter);
        return of_a.chains.share(of_a.number_of(name)) == of_b.chains.share(of_b.number_of(name));
    };
    const auto whole = [](const rules::Ruleset& a, const rules::Ruleset& b) {
        return a.share(Family::Ipv4, rules::TableId::Filter) ==
               b.share(Family::Ipv4, rules::TableId::Filter);
    };
    const std::string text = "*filter\n-A FORWARD -s 10.0.0.1\n-A INPUT -s 10.0.0.2\nCOMMIT\n";
    const rules::Ruleset before = parsed(text);
    rules::Ruleset again = parsed(text);
    REQUIRE_FALSE(same(again, before, "FORWARD"));
    rules::keep_identity(before, again, CountersOf::Kept);
    CHECK(whole(again, before));

    rules::Ruleset other =
        parsed("*filter\n-A FORWARD -s 10.0.0.1\n-A INPUT -s 10.0.0.3\nCOMMIT\n");
    rules::keep_identity(before, other, CountersOf::Kept);
    CHECK_FALSE(whole(other, before));
    CHECK(same(other, before, "FORWARD"));
    CHECK_FALSE(same(other, before, "INPUT"));

    rules::Ruleset moved = parsed("\n" + text);
    rules::keep_identity(before, moved, CountersOf::Kept);
    CHECK_FALSE(same(moved, before, "FORWARD"));  // it has another line
    CHECK(chain(moved, "FORWARD").rules[0].where.line == 3);

    rules::Ruleset policy =
        parsed("*filter\n-A FORWARD -s 10.0.0.1\n-A INPUT -s 10.0.0.2\n:OUTPUT DROP\nCOMMIT\n");
    rules::keep_identity(before, policy, CountersOf::Kept);
    CHECK(same(policy, before, "FORWARD"));
    CHECK_FALSE(same(policy, before, "OUTPUT"));

    rules::Ruleset zeroed = before;
    CHECK(rules::zero_rule(zeroed, kForward, 1).ok());
    rules::keep_identity(before, zeroed, CountersOf::Kept);
    CHECK_FALSE(same(zeroed, before, "FORWARD"));  // it counts from nothing

    rules::Ruleset more =
        parsed("*filter\n-A FORWARD -s 10.0.0.1\n-A INPUT -s 10.0.0.2\n:extra -\nCOMMIT\n");
    rules::keep_identity(before, more, CountersOf::Kept);
    CHECK(same(more, before, "INPUT"));
    CHECK_FALSE(whole(more, before));

    rules::Ruleset given = parsed(text);
    rules::keep_identity(before, given, CountersOf::Given);
    CHECK_FALSE(same(given, before, "FORWARD"));  // it counts anew
}

TEST_CASE("a rule that was never touched keeps its id before those that only look like it") {
    const rules::Ruleset before = three_rules();
    rules::Ruleset after = before;
    CHECK(rules::insert_rule(after, kForward, 1, rule("-s 10.0.0.1")).ok());
    rules::keep_identity(before, after, CountersOf::Kept);
    CHECK(chain(after, "FORWARD").rules[1].id == chain(before, "FORWARD").rules[0].id);
    CHECK(chain(after, "FORWARD").rules[0].id != chain(before, "FORWARD").rules[0].id);
}

TEST_CASE("a restored text replaces the tables it names, or adds to them") {
    const rules::Ruleset before = parsed(
        "*filter\n:INPUT DROP\n:web -\n:FORWARD DROP [3:4]\n"
        "[5:6] -A FORWARD -j web\n-A web -j ACCEPT\nCOMMIT\n"
        "*raw\n-A OUTPUT -j DROP\nCOMMIT\n");
    const auto restored = [&](std::string_view text, const rules::RestoreOptions& options) {
        rules::Ruleset after = before;
        const ConfigErrors errors = rules::restore(text, "new", Family::Ipv4, options, after);
        for (const ConfigError& error : errors) {
            FAIL_CHECK(to_string(error));
        }
        return rules::save(after, Family::Ipv4, true);
    };
    // The policy of INPUT stays, since the text says nothing of it; counters begin anew.
    CHECK(restored("*filter\n:FORWARD ACCEPT [9:9]\n[7:7] -A FORWARD -j ACCEPT\nCOMMIT\n", {}) ==
          "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[0:0] -A OUTPUT -j DROP\nCOMMIT\n"
          "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
          "[0:0] -A FORWARD -j ACCEPT\nCOMMIT\n");
    CHECK(restored("*filter\n:FORWARD ACCEPT [9:9]\n[7:7] -A FORWARD -j ACCEPT\nCOMMIT\n",
                   {.counters = true})
              .find("[7:7] -A FORWARD -j ACCEPT") != std::string::npos);
    // -n: what is there stays, a chain that is declared again is emptied.
    CHECK(restored("*filter\n:web -\n-I FORWARD 1 -s 10.0.0.1 -j DROP\nCOMMIT\n", {.flush = false})
              .find(":web - [0:0]\n[0:0] -A FORWARD -s 10.0.0.1/32 -j DROP\n[5:6] -A FORWARD -j web"
                    "\nCOMMIT\n") != std::string::npos);
    CHECK(restored("*filter\n-D FORWARD -j web\n-F web\n-X web\n-P FORWARD ACCEPT\n-N www\n"
                   "-A www -j DROP\n-E www ssh\n-R ssh 1 -j ACCEPT\n-Z ssh\n-D ssh 1\nCOMMIT\n",
                   {.flush = false})
              .find(":FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:ssh - [0:0]\nCOMMIT\n") !=
          std::string::npos);
    // -T: only this table.
    CHECK(restored("*filter\n-A FORWARD -j nowhere\nCOMMIT\n*raw\nCOMMIT\n",
                   {.only = rules::TableId::Raw})
              .find("*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n*filter") == 0);
}

TEST_CASE("what a restored text cannot do is refused as a whole, with its place") {
    const rules::Ruleset before = parsed("*filter\n:web -\n-A FORWARD -j web\nCOMMIT\n");
    const auto problem = [&](const std::string& line) {
        rules::Ruleset after = before;
        const ConfigErrors errors =
            rules::restore("*filter\n-A INPUT -j ACCEPT\n" + line + "\nCOMMIT\n", "new",
                           Family::Ipv4, {.flush = false}, after);
        CHECK(rules::save(after, Family::Ipv4, true) == rules::save(before, Family::Ipv4, true));
        REQUIRE(errors.size() == 1);
        return to_string(errors[0]);
    };
    CHECK(problem("-D FORWARD 2") == "new:3:12: chain FORWARD has no rule 2 to delete");
    CHECK(problem("-R FORWARD 2 -j DROP") == "new:3:12: chain FORWARD has no rule 2 to replace");
    CHECK(problem("-D FORWARD 0") == "new:3:12: the rules of a chain are numbered from 1");
    CHECK(problem("-D FORWARD -j DROP") == "new:3:4: chain FORWARD has no such rule");
    CHECK(problem("-C FORWARD -j DROP") == "new:3:4: chain FORWARD has no such rule");
    CHECK(problem("-R FORWARD -j DROP") == "new:3:12: -R needs a chain and the number of a rule");
    CHECK(problem("-X web") == "new:3:4: rules still jump to chain web");
    CHECK(problem("-X FORWARD") == "new:3:4: the built-in chain FORWARD cannot be deleted");
    CHECK(problem("-X wbe") == "new:3:4: no chain \"wbe\" in table filter; did you mean \"web\"?");
    CHECK(problem("-E web FORWARD") == "new:3:8: there is a chain \"FORWARD\" already");
    CHECK(problem("-E FORWARD x") ==
          "new:3:4: the built-in chain FORWARD cannot have another name");
    CHECK(problem("-N web") == "new:3:4: chain \"web\" is declared twice in table filter");
    CHECK(problem("-P web DROP").find("has no built-in chain") != std::string::npos);
    CHECK(problem("-P FORWARD") == "new:3:1: -P needs a chain and a policy");
    CHECK(problem("-Q FORWARD").find("is not something iptables-save writes") != std::string::npos);
}
