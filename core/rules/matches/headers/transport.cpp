#include "core/rules/matches/headers/transport.hpp"

#include "core/rules/code.hpp"

namespace nsr::rules {

namespace {

void read_one(const Options& options, const RuleContext& context, std::string_view name,
              TransportPorts::Reader reader, PortRange& range) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return;
    }
    if (const auto parsed = reader(given->value)) {
        range = *parsed;
        range.invert = given->inverted;
    } else {
        context.error(*given, in_quotes(given->value) +
                                  " is not a port, a service name or a range" +
                                  " of ports such as 1024:65535");
    }
}

std::string save_one(std::string_view option, const PortRange& range) {
    return std::string(bang(range.invert)) + std::string(option) + " " + to_string(range);
}

void compile_one(Op op, const PortRange& range, Code& code) {
    if (!range.trivial()) {
        code.emit({.op = op, .invert = range.invert, .low = range.low, .high = range.high});
    }
}

}  // namespace

void TransportPorts::read(const Options& options, const RuleContext& context, Reader reader) {
    read_one(options, context, "source-port", reader, source);
    read_one(options, context, "destination-port", reader, destination);
    source_given = options.has("source-port");
    destination_given = options.has("destination-port");
}

std::string TransportPorts::save(WholeRange whole) const {
    const bool as_given = whole == WholeRange::AsGiven;
    std::string text;
    if (!source.trivial() || (as_given && source_given)) {
        append(text, save_one("--sport", source));
    }
    if (!destination.trivial() || (as_given && destination_given)) {
        append(text, save_one("--dport", destination));
    }
    return text;
}

void TransportPorts::compile(Code& code) const {
    compile_one(Op::SourcePort, source, code);
    compile_one(Op::DestinationPort, destination, code);
}

}  // namespace nsr::rules
