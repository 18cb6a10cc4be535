// Address sets: [sets] becomes commands of ipset(8), beside those of the file.
#include <algorithm>
#include <array>

#include "core/base/words.hpp"
#include "core/rules/set_use.hpp"
#include "core/sets/sets.hpp"
#include "router/base/text_file.hpp"
#include "router/config/build.hpp"
#include "router/config/sections.hpp"
#include "router/tools/ipset/command.hpp"
#include "router/tools/ipset/text.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kMaxSetFileBytes = std::size_t{64} << 20;

// Keys of a set that are options of `ipset create`, with and without a value.
constexpr std::array<std::string_view, 13> kValues = {
    "family",     "hashsize", "maxelem", "netmask", "bitmask", "markmask", "timeout",
    "bucketsize", "initval",  "range",   "size",    "from",    "to"};
constexpr std::array<std::string_view, 4> kFlags = {"counters", "comment", "skbinfo", "forceadd"};

class SetReader {
  public:
    SetReader(Section section, const std::string& name, SetsConfig& sets)
        : section_(std::move(section)), name_(name), sets_(sets) {}

    void read();

  private:
    void option(const TomlMember& member, std::vector<std::string>& words);
    void entries();

    Section section_;
    const std::string& name_;
    SetsConfig& sets_;
};

void SetReader::read() {
    std::string type;
    if (!section_.string("type", type)) {
        if (section_.take("type") == nullptr) {
            section_.fail(section_.where(),
                          "set \"" + name_ + "\" needs a type, such as type = \"hash:net\"");
        }
        return;
    }
    for (const std::string_view key : kValues) {
        section_.take(key);
    }
    for (const std::string_view key : kFlags) {
        section_.take(key);
    }
    std::vector<std::string> words = {"create", name_, type};
    for (const TomlMember& member : section_.value()->members) {
        option(member, words);
    }
    sets_.commands.push_back({std::move(words), section_.take("type")->value.where});
    entries();
    section_.finish();
}

void SetReader::option(const TomlMember& member, std::vector<std::string>& words) {
    const auto known = [&](const auto& names) {
        return std::find(names.begin(), names.end(), member.key) != names.end();
    };
    if (known(kFlags)) {
        bool wanted = false;
        if (section_.boolean(member.key, wanted) && wanted) {
            words.push_back(member.key);
        }
    } else if (known(kValues)) {
        section_.take(member.key);
        if (member.value.kind == TomlKind::Integer) {
            words.insert(words.end(), {member.key, std::to_string(member.value.integer)});
        } else if (member.value.kind == TomlKind::String) {
            words.insert(words.end(), {member.key, member.value.text});
        } else {
            section_.wrong_type(member, "a string or a number");
        }
    }
}

// Each is what stands behind `ipset add NAME`.
void SetReader::entries() {
    std::vector<Located<std::string>> entries;
    section_.strings("entries", entries);
    for (const Located<std::string>& entry : entries) {
        const auto words = split_words(entry.value, Quoting::Shell);
        if (!words || words->empty()) {
            section_.fail(entry.where,
                          words ? "an entry cannot be empty" : "a quote is opened and not closed");
            continue;
        }
        std::vector<std::string> command = {"add", name_};
        for (const Word& word : *words) {
            command.push_back(word.text);
        }
        sets_.commands.push_back({std::move(command), entry.where});
    }
}

// The commands of the file and of [sets], one after the other.
class Builder {
  public:
    Builder(sets::Sets& sets, Instant now)
        : context_{sets, [] { return sets::References(); }, now} {}

    void run_file(const SetFile& file);
    void run(const Result<IpsetArgs, IpsetProblem>& args, const SourceLocation& where);

    ConfigErrors errors;

  private:
    IpsetContext context_;
};

void Builder::run_file(const SetFile& file) {
    std::uint32_t line = 0;
    for (const std::string_view text : split(file.text, '\n')) {
        ++line;
        auto args = parse_ipset_line(text);
        const SourceLocation where{file.path, line, 1};
        if (!args) {
            run(args.error(), where);
        } else if (*args) {
            run(std::move(**args), where);
        }
    }
}

void Builder::run(const Result<IpsetArgs, IpsetProblem>& args, const SourceLocation& where) {
    if (!args) {
        errors.push_back({where, args.error().text});
        return;
    }
    if (args->only_shows() || args->command == IpsetCommand::Restore ||
        args->command == IpsetCommand::Quit) {
        errors.push_back({where,
                          "a file of sets holds commands that make and change sets: "
                          "create, add, del, flush, destroy, rename and swap"});
        return;
    }
    IpsetPass pass(*args);
    pass.run_to_end(context_);
    if (pass.problem()) {
        errors.push_back({where, pass.problem()->text});
    }
}

}  // namespace

void read_sets(Section section, Config& config) {
    if (section.value() == nullptr) {
        return;
    }
    for (const TomlMember& member : section.value()->members) {
        const TomlValue* table = section.table(member.key);
        if (const std::string wrong = set_name_problem(member.key); !wrong.empty()) {
            section.fail(member.where, wrong);
        } else if (table != nullptr) {
            SetReader(Section(table, "[sets." + member.key + "]", section.errors()), member.key,
                      config.sets)
                .read();
        }
    }
}

void read_set_file(const Located<std::string>& name, Config& config, ConfigErrors& errors) {
    const std::string path = resolve_path(config.path, name.value);
    Result<std::string, FileError> text = read_text_file(path, kMaxSetFileBytes);
    if (!text) {
        errors.push_back({name.where, "sets file \"" + name.value + "\": " + text.error().text});
        return;
    }
    config.files.push_back(path);
    config.sets.file = SetFile{path, std::move(*text)};
}

sets::Catalogue created_sets(const SetsConfig& config) {
    sets::Catalogue created;
    const auto take = [&](const IpsetArgs& args) {
        const auto made = read_create_options(args.second, args.options);
        if (args.command == IpsetCommand::Create && args.set && made) {
            created.emplace(*args.set, sets::Summary{made->spec.type->name, made->spec.family});
        }
    };
    const std::string_view text = config.file ? std::string_view(config.file->text) : "";
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with("add ")) {
            continue;  // as most lines do
        }
        if (const auto args = parse_ipset_line(line); args && *args) {
            take(**args);
        }
    }
    for (const Located<std::vector<std::string>>& command : config.commands) {
        if (const auto args = parse_ipset_args(command.value)) {
            take(*args);
        }
    }
    return created;
}

ConfigErrors build_sets(const Config& config, sets::Sets& sets, Instant now) {
    Builder builder(sets, now);
    if (config.sets.file) {
        builder.run_file(*config.sets.file);
    }
    for (const Located<std::vector<std::string>>& command : config.sets.commands) {
        builder.run(parse_ipset_args(command.value), command.where);
    }
    return std::move(builder.errors);
}

namespace {

// Of its options and elements; what was drawn for it does not count.
std::size_t fingerprint(const sets::Set& set, const sets::Sets& sets) {
    std::string text(set.type().name);
    Attributes header = header_attributes(set);
    std::erase_if(header, [](const auto& attribute) { return attribute.first == "initval"; });
    text += in_words(header);
    sets::Set::Entry entry;
    std::uint64_t cursor = 0;
    for (auto step = sets::Set::Step::Gap; step != sets::Set::Step::End;) {
        step = set.walk(cursor, entry, Instant{});
        if (step == sets::Set::Step::Entry) {
            text += "\n" + element_text(entry.element, set.type(), sets) +
                    in_words(element_attributes(entry, set.spec()));
        }
    }
    return std::hash<std::string>{}(text);
}

}  // namespace

void check_sets(Config& config, ConfigErrors& errors) {
    sets::Sets aside(0, 0);
    const ConfigErrors wrong = build_sets(config, aside, Instant{});
    errors.insert(errors.end(), wrong.begin(), wrong.end());
    const ConfigErrors unknown = rules::check_sets(config.ruleset, aside.catalogue());
    errors.insert(errors.end(), unknown.begin(), unknown.end());
    for (const sets::SetId id : aside.all()) {
        config.sets.fingerprints[aside.name_of(id)] = fingerprint(aside.get(id), aside);
    }
}

}  // namespace nsr::router
