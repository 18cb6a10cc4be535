// A native TOML rule as the words of an iptables command line.
//
// Keys are iptables' long option names. Built-in options come first, then matches in the order in
// which the rule first names them, each behind its `-m module`, then the target and its options. A
// name that several modules share must be written `module.option`; protocol modules (tcp, udp ...)
// are told apart by the rule's protocol, targets by its jump.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "router/config/section.hpp"

namespace nsr::router {

struct NativeRule {
    std::vector<std::string> words;
    std::optional<Family> family;
    SourceLocation where;
    // Where each word that could be wrong came from, for errors that name it.
    std::vector<Located<std::string>> origins;
    std::vector<Located<std::string>> interfaces;  // values of in-interface and out-interface
};

// Nothing if something was reported.
std::optional<NativeRule> native_rule(const TomlValue& table, ConfigErrors& errors);

}  // namespace nsr::router
