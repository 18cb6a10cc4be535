#include "core/procfs/nf_conntrack_expect.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/conntrack/tuple_text.hpp"

namespace nsr::procfs {

using conntrack::Conntrack;
using conntrack::Expectation;
using conntrack::ExpectId;

namespace {

bool is_shown(const Expectation& expectation, Instant now) {
    return jiffies_until(expectation.deadline, to_jiffies(now)) > 0;
}

std::string flags_of(const Expectation& expectation) {
    std::string flags = expectation.permanent ? "PERMANENT" : "";
    if (expectation.inactive) {
        flags += flags.empty() ? "INACTIVE" : ",INACTIVE";
    }
    return flags.empty() ? flags : flags + " ";
}

}  // namespace

void append_expect_line(std::string& out, const Conntrack& conntrack, ExpectId id, Instant now) {
    const Expectation& expectation = conntrack.expectations()[id];
    const conntrack::Tuple& tuple = expectation.tuple;
    const std::int32_t left = jiffies_until(expectation.deadline, to_jiffies(now));
    std::array<char, conntrack::kPortsTextBytes> ports{};
    const char* end = conntrack::write_ports(ports.data(), conntrack::ports_of(tuple.protocol),
                                             tuple.source_port, tuple.destination_port);
    const conntrack::HelperInfo& helper =
        conntrack::helper_info(conntrack.helper_of(expectation.master));
    const std::string_view of_class = helper.classes[expectation.of_class].name;
    out += std::to_string(static_cast<std::uint32_t>(std::max(left, 0)) / kJiffiesPerSecond);
    out += tuple.family() == Family::Ipv4 ? " l3proto = 2" : " l3proto = 10";
    out += " proto=" + std::to_string(tuple.protocol);
    out += " src=" + to_proc_string(tuple.source) + " dst=" + to_proc_string(tuple.destination);
    out += ' ';
    out.append(ports.data(), static_cast<std::size_t>(end - ports.data()));
    out += flags_of(expectation);
    out += helper.name;
    out += of_class.empty() ? "\n" : "/" + std::string(of_class) + "\n";
}

std::string expect_snapshot(const Conntrack& conntrack, Instant now) {
    const conntrack::Expectations& expectations = conntrack.expectations();
    std::vector<std::string> lines;
    for (ExpectId id = expectations.next(0); id != 0; id = expectations.next(id)) {
        if (is_shown(expectations[id], now)) {
            append_expect_line(lines.emplace_back("expect "), conntrack, id, now);
        }
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) {
        text += line;
    }
    return text;
}

}  // namespace nsr::procfs
