#include "router/tools/ipset/contents.hpp"

#include "core/base/words.hpp"
#include "router/tools/ipset/command.hpp"
#include "router/tools/ipset/text.hpp"

namespace nsr::router {

namespace {

bool says_nothing(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    return first == std::string_view::npos || line[first] == '#';
}

// Whether the first line that says something is one of `restore`.
bool is_restored(std::string_view text) {
    for (const std::string_view line : split(text, '\n')) {
        if (!says_nothing(line)) {
            const auto args = parse_ipset_line(line);
            return args && *args &&
                   ((*args)->command == IpsetCommand::Create ||
                    (*args)->command == IpsetCommand::Add);
        }
    }
    return false;
}

std::string in_line(std::size_t line, const std::string& message) {
    return "line " + std::to_string(line) + ": " + message;
}

// What is wrong with the text of `restore`; empty: nothing. `creates`: a line of it does.
std::string problem_of(std::string_view text, std::string_view name, bool& creates) {
    std::size_t line = 0;
    for (const std::string_view each : split(text, '\n')) {
        ++line;
        const auto args = parse_ipset_line(each);
        if (!args) {
            return in_line(line, args.error().text);
        }
        if (!*args) {
            continue;
        }
        const IpsetCommand command = (*args)->command;
        creates = creates || command == IpsetCommand::Create;
        if (command != IpsetCommand::Create && command != IpsetCommand::Add) {
            return in_line(line, "contents of a set are lines of create and add");
        }
        if ((*args)->set != name) {
            return in_line(line, "speaks of set \"" + *(*args)->set + "\", not of \"" +
                                     std::string(name) + "\"");
        }
    }
    return {};
}

// So that members of a list can be named.
void put_in(const sets::Catalogue& there, sets::Sets& aside) {
    for (const auto& [name, summary] : there) {
        const sets::SetSpec spec{.type = sets::find_type(summary.type), .family = summary.family};
        aside.place(name, aside.make(spec));
    }
}

}  // namespace

Result<SetContents, std::string> set_contents(std::string_view text, std::string_view name,
                                              std::string_view created) {
    SetContents contents{.name = std::string(name)};
    bool creates = false;
    if (is_restored(text)) {
        if (const std::string wrong = problem_of(text, name, creates); !wrong.empty()) {
            return wrong;
        }
        contents.text = text;
    } else {
        for (const std::string_view line : split(text, '\n')) {
            contents.text += says_nothing(line)
                                 ? "\n"
                                 : "add " + name_text(name) + " " + std::string(line) + "\n";
        }
    }
    if (!creates) {
        if (created.empty()) {
            return "there is no set \"" + std::string(name) +
                   "\": the text has to begin with `create " + std::string(name) + " TYPE`";
        }
        contents.text.insert(0, created);
        contents.created = false;
    }
    return contents;
}

Result<Done, std::string> make_set(const SetContents& contents, const sets::Catalogue& there,
                                   sets::Sets& aside, Instant now) {
    put_in(there, aside);
    const sets::References none;
    if (aside.id_of(contents.name)) {
        aside.destroy(contents.name, none);
    }
    IpsetPass pass({.command = IpsetCommand::Restore}, contents.text);
    const IpsetContext context{aside, [&] { return none; }, now};
    pass.run_to_end(context);
    if (pass.problem()) {
        return in_line(pass.line() - (contents.created ? 0 : 1), pass.problem()->text);
    }
    return Done{};
}

}  // namespace nsr::router
