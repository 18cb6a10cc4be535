// What is said of an element behind it.
#include <charconv>

#include "router/tools/ipset/option_words.hpp"
#include "router/tools/ipset/options.hpp"

namespace nsr::router {

namespace {

using sets::Part;

// "0x1", "0x1/0xff"
std::optional<std::uint32_t> parse_hex(std::string_view text, bool prefix) {
    if (prefix && !text.starts_with("0x") && !text.starts_with("0X")) {
        return std::nullopt;
    }
    text.remove_prefix(prefix ? 2 : 0);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    const bool good = error == std::errc() && end == text.data() + text.size();
    return good ? std::optional(value) : std::nullopt;
}

class ElementOptionReader {
  public:
    ElementOptionReader(const std::vector<std::string>& options, const sets::SetSpec& spec,
                        IpsetVerb verb)
        : words_(options), spec_(spec), verb_(verb) {}

    Result<GivenWith, IpsetProblem> read();

  private:
    bool read_known(std::string_view name);
    bool read_about_adding(std::string_view name);
    bool read_skbinfo(std::string_view name);
    void read_comment();
    void read_skbmark(const std::string& text);
    void read_skbprio(const std::string& text);

    OptionWords words_;
    const sets::SetSpec& spec_;
    IpsetVerb verb_;
    GivenWith given_;
};

Result<GivenWith, IpsetProblem> ElementOptionReader::read() {
    while (!words_.at_end()) {
        if (!read_known(words_.name())) {
            words_.unknown();
        }
    }
    if (words_.failed()) {
        return words_.problem();
    }
    return std::move(given_);
}

bool ElementOptionReader::read_known(std::string_view name) {
    const sets::SetType& type = *spec_.type;
    if (type.has(Part::Set) && (name == "before" || name == "after")) {
        words_.once(!given_.reference.empty());
        given_.before = name == "before";
        given_.reference = words_.value();
        return true;
    }
    if (type.has_nomatch() && name == "nomatch" && verb_ != IpsetVerb::Del) {
        given_.extensions.nomatch = true;
        return true;
    }
    if (type.has(Part::Iface) && name == "wildcard") {
        given_.wildcard = true;
        return true;
    }
    return verb_ == IpsetVerb::Add && (read_about_adding(name) || read_skbinfo(name));
}

bool ElementOptionReader::read_about_adding(std::string_view name) {
    sets::Extensions& known = given_.extensions;
    if (name == "timeout") {
        words_.once(known.timeout.has_value());
        known.timeout = static_cast<std::uint32_t>(words_.number(0, sets::kMaxTimeout));
    } else if (name == "packets") {
        known.packets = words_.number(0, ~std::uint64_t{0});
    } else if (name == "bytes") {
        known.bytes = words_.number(0, ~std::uint64_t{0});
    } else if (name == "comment") {
        read_comment();
    } else {
        return false;
    }
    return true;
}

void ElementOptionReader::read_comment() {
    std::string text = words_.value();
    if (text.find('"') != std::string::npos) {
        words_.fail("Syntax error: \" character is not permitted in comments");
    } else if (text.size() > sets::kMaxCommentBytes) {
        words_.fail("Syntax error: Comment is longer than the maximum allowed " +
                    std::to_string(sets::kMaxCommentBytes) + " characters");
    }
    given_.extensions.comment = std::move(text);
}

bool ElementOptionReader::read_skbinfo(std::string_view name) {
    if (name != "skbmark" && name != "skbprio" && name != "skbqueue") {
        return false;
    }
    if (!given_.extensions.skbinfo) {
        given_.extensions.skbinfo.emplace();
    }
    if (name == "skbmark") {
        read_skbmark(words_.value());
    } else if (name == "skbprio") {
        read_skbprio(words_.value());
    } else {
        given_.extensions.skbinfo->queue = static_cast<std::uint16_t>(words_.number(0, 0xffff));
    }
    return true;
}

void ElementOptionReader::read_skbmark(const std::string& text) {
    const std::size_t slash = text.find('/');
    const auto mark = parse_hex(std::string_view(text).substr(0, slash), true);
    const auto mask = slash == std::string::npos
                          ? std::optional(0xffffffffu)
                          : parse_hex(std::string_view(text).substr(slash + 1), true);
    if (!mark || !mask) {
        words_.fail(
            "Syntax error: Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)");
    }
    given_.extensions.skbinfo->mark = mark.value_or(0);
    given_.extensions.skbinfo->mark_mask = mask.value_or(0);
}

void ElementOptionReader::read_skbprio(const std::string& text) {
    const std::size_t colon = text.find(':');
    const auto major = parse_hex(std::string_view(text).substr(0, colon), false);
    const auto minor = colon == std::string::npos
                           ? std::nullopt
                           : parse_hex(std::string_view(text).substr(colon + 1), false);
    if (!major || !minor || *major > 0xffff || *minor > 0xffff) {
        words_.fail("Syntax error: Invalid skbprio format, it should be:MAJOR:MINOR (see manpage)");
    }
    given_.extensions.skbinfo->priority = major.value_or(0) << 16 | minor.value_or(0);
}

}  // namespace

Result<GivenWith, IpsetProblem> read_element_options(const std::vector<std::string>& options,
                                                     const sets::SetSpec& spec, IpsetVerb verb) {
    return ElementOptionReader(options, spec, verb).read();
}

}  // namespace nsr::router
