// Judges many texts of rules in one process, for the comparison with the kernel's own tool.
//
// Standard input: "4 BYTES" or "6 BYTES", a line break, and as many bytes of iptables-save text,
// again and again. For each the answer is "ok BYTES" with the saved text, "no BYTES" with the
// errors, or "unstable BYTES" with both texts if saving what was saved gives another one. With
// --modules: the names of all matches and targets with their options instead.
#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "core/rules/language/parse.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/save.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/timeout_use.hpp"

namespace {

using nsr::Family;
using nsr::rules::Ruleset;

void answer(const std::string& verdict, const std::string& text) {
    std::cout << verdict << ' ' << text.size() << '\n' << text << std::flush;
}

std::string message(const nsr::ConfigErrors& errors) {
    std::string text;
    for (const nsr::ConfigError& error : errors) {
        text += std::to_string(error.where.line) + ":" + std::to_string(error.where.column) + ": " +
                error.message + "\n";
    }
    return text;
}

std::string file_text(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

nsr::rules::HostNames names_of_this_machine() {
    nsr::rules::HostNames names;
    names.add_hosts(file_text("/etc/hosts"));
    names.add_networks(file_text("/etc/networks"));
    return names;
}

void judge(Family family, const std::string& text) {
    static const nsr::rules::HostNames kNames = names_of_this_machine();
    Ruleset ruleset;
    auto errors = nsr::rules::parse_save(text, "rules", family, ruleset, kNames);
    if (errors.empty()) {  // the kernel beside has no timeout policies
        errors = nsr::rules::check_timeouts(ruleset, {});
    }
    if (!errors.empty()) {
        answer("no", message(errors));
        return;
    }
    const std::string saved = nsr::rules::save(ruleset, family, true);
    Ruleset again;
    errors = nsr::rules::parse_save(saved, "saved", family, again);
    const std::string twice = nsr::rules::save(again, family, true);
    if (!errors.empty() || twice != saved) {
        answer("unstable", saved + "--- becomes\n" + message(errors) + twice);
    } else {
        answer("ok", saved);
    }
}

template <class Module>
void print_module(const char* kind, const Module& module) {
    std::cout << kind << ' ' << module.name;
    for (const nsr::rules::OptionSpec& spec : module.options) {
        std::cout << ' ' << spec.name;
    }
    std::cout << '\n';
}

void print_modules() {
    for (const auto* module : nsr::rules::match_modules()) {
        print_module("match", *module);
    }
    for (const auto* module : nsr::rules::target_modules()) {
        print_module("target", *module);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string(argv[1]) == "--modules") {
        print_modules();
        return 0;
    }
    std::string head;
    while (std::getline(std::cin, head)) {
        std::size_t bytes = 0;
        std::from_chars(head.data() + 2, head.data() + head.size(), bytes);
        std::string text(bytes, '\0');
        std::cin.read(text.data(), static_cast<std::streamsize>(bytes));
        judge(head[0] == '6' ? Family::Ipv6 : Family::Ipv4, text);
    }
    return 0;
}
