#include "tests/oracle/text_line.hpp"

#include <sstream>

namespace oracle {

Words words_of(const std::string& line) {
    std::istringstream in(line);
    Words words;
    for (std::string word; in >> word;) {
        words.push_back(word);
    }
    return words;
}

std::string joined(const Words& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : " ") + word;
    }
    return text;
}

bool is_number(const std::string& word) {
    const std::size_t first = word.starts_with('-') ? 1 : 0;
    return word.size() > first && word.find_first_not_of("0123456789", first) == std::string::npos;
}

std::string in_brackets(const std::optional<long>& lifetime) {
    return lifetime ? "[" + std::to_string(*lifetime) + "] " : "[] ";
}

namespace {

// One tuple of a table line, as far as it has been read.
struct Tuple {
    std::string source;
    std::string destination;
    unsigned source_port = 0;
};

void rename_port(Words& words, std::size_t at, unsigned protocol, const Tuple& tuple,
                 const PortRenaming& ports) {
    const auto source = nsr::parse_address(tuple.source);
    const auto destination = nsr::parse_address(tuple.destination);
    const auto port = static_cast<unsigned>(std::stoul(words[at].substr(words[at].find('=') + 1)));
    if (words[at].starts_with("id=")) {
        unsigned id = ports.back(protocol, *source, {*destination, 0}, port);
        if (id == port) {
            id = ports.back(protocol, *destination, {*source, 0}, port);
        }
        words[at] = "id=" + std::to_string(id);
        return;
    }
    for (std::size_t i = at; i-- > 0;) {
        if (words[i].starts_with("sport=")) {
            words[i] = "sport=" + std::to_string(ports.back(protocol, *source, {*destination, port},
                                                            tuple.source_port));
            break;
        }
    }
    words[at] = "dport=" + std::to_string(ports.back(protocol, *destination,
                                                     {*source, tuple.source_port}, port));
}

}  // namespace

Line renamed(const Line& line, const PortRenaming& ports) {
    Words words = words_of(line.text);
    if (!ports.active() || words.size() < 4 || !is_number(words[3])) {
        return line;
    }
    rename_ports(words, static_cast<unsigned>(std::stoul(words[3])), ports);
    return {joined(words), line.lifetime};
}

void rename_ports(Words& words, unsigned protocol, const PortRenaming& ports) {
    Tuple tuple;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i].starts_with("src=")) {
            tuple = {words[i].substr(4), "", 0};
        } else if (words[i].starts_with("dst=")) {
            tuple.destination = words[i].substr(4);
        } else if (words[i].starts_with("sport=")) {
            tuple.source_port = static_cast<unsigned>(std::stoul(words[i].substr(6)));
        } else if (words[i].starts_with("dport=") || words[i].starts_with("id=")) {
            rename_port(words, i, protocol, tuple, ports);
        }
    }
}

}  // namespace oracle
