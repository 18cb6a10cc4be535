// Rules about the state of connections that miss what they are about: nat-never-new, related-alone,
// invalid-accepted, answers-dropped, host-answers-dropped.
#include <algorithm>
#include <array>
#include <iterator>

#include "core/rules/code.hpp"
#include "core/rules/lint/rows.hpp"
#include "core/rules/lint/subject.hpp"

namespace nsr::rules::lint {

namespace {

using Lines = std::vector<const Line*>;

constexpr std::array kFamilies = {Family::Ipv4, Family::Ipv6};

bool allows(const Condition& condition, std::uint32_t state) {
    // Translated connections may be in any state.
    const std::uint32_t any = condition.inverted ? 0 : ctstate::kSnat | ctstate::kDnat;
    return condition.field != Field::State ||
           ((condition.states & (state | any)) != 0) != condition.inverted;
}

// The line lets packets of this state pass, as far as it asks for states.
bool allows(const Line& line, std::uint32_t state) {
    return std::all_of(line.conditions.begin(), line.conditions.end(),
                       [&](const Condition& condition) { return allows(condition, state); });
}

bool is_about_states(const Line& line) {
    return find(line.conditions, Field::State) != nullptr;
}

Lines accepting(const Lines& lines) {
    Lines found;
    std::copy_if(lines.begin(), lines.end(), std::back_inserter(found),
                 [](const Line* line) { return line->accepts(); });
    return found;
}

// Somebody outside of the rules decides about packets.
bool asks_others(const Lines& lines) {
    return std::any_of(lines.begin(), lines.end(), [](const Line* line) {
        return line->target() == "NFQUEUE" || line->target() == "QUEUE";
    });
}

// All ports are servers': what is sent back to a client goes to none of them.
bool only_to_servers(const Line& line) {
    constexpr std::uint16_t kFirstOfClients = 1024;
    const Condition* port = find(line.conditions, Field::DestinationPort);
    return port != nullptr && !port->inverted &&
           std::all_of(port->ports.begin(), port->ports.end(),
                       [](const PortRange& range) { return range.high < kFirstOfClients; });
}

bool only_echo_requests(const Line& line) {
    return std::any_of(line.conditions.begin(), line.conditions.end(), [](const Condition& each) {
        return !each.inverted &&
               (each.text == "icmp --icmp-type 8" || each.text == "icmp6 --icmpv6-type 128");
    });
}

// Nothing that answers what a client asked passes the line.
bool passes_no_answers(const Line& line) {
    return !allows(line, ctstate::kEstablished) || only_to_servers(line) ||
           only_echo_requests(line);
}

bool apart(const Line& one, Field field, const Line& other, Field opposite) {
    const Condition* a = find(one.conditions, field);
    const Condition* b = find(other.conditions, opposite);
    if (a == nullptr || b == nullptr || a->inverted || b->inverted) {
        return false;
    }
    if (field == Field::InInterface || field == Field::OutInterface) {
        return !interfaces_meet(a->text, b->text);
    }
    Condition outside = *b;
    outside.field = field;
    outside.inverted = true;
    return implies(*a, outside);
}

bool is_other_protocol(const Line& one, const Line& other) {
    const Condition* a = find(one.conditions, Field::Protocol);
    const Condition* b = find(other.conditions, Field::Protocol);
    return a != nullptr && b != nullptr && !a->inverted && !b->inverted && a->text != b->text;
}

// No answer to a packet that `opener` let pass comes through `line`.
bool turns_back(const Line& line, const Line& opener) {
    const bool from_a_port = find(opener.conditions, Field::SourcePort) != nullptr;
    return !allows(line, ctstate::kEstablished) || (only_to_servers(line) && !from_a_port) ||
           is_other_protocol(line, opener) ||
           apart(line, Field::InInterface, opener, Field::OutInterface) ||
           apart(line, Field::OutInterface, opener, Field::InInterface) ||
           apart(line, Field::Source, opener, Field::Destination) ||
           apart(line, Field::Destination, opener, Field::Source);
}

bool opens_tcp(const Line& line) {
    const Condition* protocol = find(line.conditions, Field::Protocol);
    const bool is_tcp = protocol == nullptr || (protocol->text == "tcp") != protocol->inverted;
    return is_tcp && allows(line, ctstate::kNew) && !only_echo_requests(line);
}

}  // namespace

// kernel: nf_nat_inet_fn asks the table for the first packet of a connection, and for expected ones
void look_for_nat_of_known(const Subject& subject, Report& report) {
    constexpr std::uint32_t kAsked =
        ctstate::kNew | ctstate::kRelated | ctstate::kSnat | ctstate::kDnat;
    for (const TableView& table : subject.tables()) {
        if (table.id() != TableId::Nat) {
            continue;
        }
        for (const ChainView& view : table.chains()) {
            for (const Line& line : view.lines) {
                const Condition* state = find(line.conditions, Field::State);
                if (state != nullptr && !state->inverted && (state->states & kAsked) == 0) {
                    report.warn(line,
                                "matches nothing: the nat table sees the first packet of a"
                                " connection alone, which is NEW (or RELATED), not " +
                                    state->text);
                }
            }
        }
    }
}

void look_for_related_alone(const Subject& subject, Report& report) {
    for (const Family family : kFamilies) {
        const TableView* table = subject.table(family, TableId::Filter);
        for (const char* chain : {"INPUT", "FORWARD", "OUTPUT"}) {
            if (table == nullptr || !table->drops_the_rest(chain)) {
                continue;
            }
            const Lines reached = table->reached_from(chain);
            const Lines accepts = accepting(reached);
            const auto related = std::find_if(accepts.begin(), accepts.end(), [](const Line* line) {
                return is_about_states(*line) && allows(*line, ctstate::kRelated) &&
                       !allows(*line, ctstate::kNew);
            });
            const bool established =
                std::any_of(accepts.begin(), accepts.end(),
                            [](const Line* line) { return allows(*line, ctstate::kEstablished); });
            if (related != accepts.end() && !established && !asks_others(reached)) {
                report.warn(**related, "accepts RELATED, while nothing in " + std::string(chain) +
                                           " accepts ESTABLISHED: only first packets and errors"
                                           " pass; write RELATED,ESTABLISHED");
            }
        }
    }
}

void look_for_accepted_invalid(const Subject& subject, Report& report) {
    for (const Family family : kFamilies) {
        const TableView* table = subject.table(family, TableId::Filter);
        if (table == nullptr) {
            continue;
        }
        for (const ChainView& view : table->chains()) {
            for (const Line& line : view.lines) {
                const Condition* state = find(line.conditions, Field::State);
                const bool named = state != nullptr && !state->inverted &&
                                   (state->states & ctstate::kInvalid) != 0;
                if (named && line.accepts() && line.conditions.size() == 1) {
                    report.warn(line,
                                "accepts INVALID packets, which NAT lets pass as they are;"
                                " drop them, or leave INVALID out");
                }
            }
        }
    }
}

void look_for_dropped_answers(const Subject& subject, Report& report) {
    for (const Family family : kFamilies) {
        const TableView* table = subject.table(family, TableId::Filter);
        if (table == nullptr || !table->drops_the_rest("FORWARD")) {
            continue;
        }
        const Lines reached = table->reached_from("FORWARD");
        const Lines accepts = accepting(reached);
        if (asks_others(reached)) {
            continue;
        }
        for (const Line* opener : accepts) {
            const bool answered =
                std::any_of(accepts.begin(), accepts.end(),
                            [&](const Line* line) { return !turns_back(*line, *opener); });
            if (opens_tcp(*opener) && !answered) {
                report.warn(*opener,
                            "lets connections begin that get no answer: FORWARD drops the"
                            " rest, and nothing in it accepts ESTABLISHED");
                break;
            }
        }
    }
}

void look_for_deaf_host(const Subject& subject, Report& report) {
    for (const Family family : kFamilies) {
        const TableView* table = subject.table(family, TableId::Filter);
        if (!subject.surroundings().host || table == nullptr || !table->drops_the_rest("INPUT")) {
            continue;
        }
        const Lines reached = table->reached_from("INPUT");
        const Lines accepts = accepting(reached);
        const bool deaf = std::all_of(accepts.begin(), accepts.end(),
                                      [](const Line* line) { return passes_no_answers(*line); });
        if (!accepts.empty() && deaf && !asks_others(reached)) {
            report.warn(*accepts.front(),
                        "is for servers in the [host] namespace; what its clients ask gets no"
                        " answer: INPUT drops the rest, and nothing in it accepts ESTABLISHED");
        }
    }
}

}  // namespace nsr::rules::lint
