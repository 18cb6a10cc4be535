#include "router/tools/ipset/listing.hpp"

#include "core/base/utf8.hpp"
#include "router/tools/ipset/text.hpp"

namespace nsr::router {

namespace {

using sets::Set;

std::string escaped_xml(std::string_view text) {
    std::string escaped;
    for (const char letter : text) {
        switch (letter) {
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '&':
                escaped += "&amp;";
                break;
            default:
                escaped += letter;
        }
    }
    return escaped;
}

std::string in_xml(const Attributes& attributes) {
    std::string text;
    for (const auto& [name, value] : attributes) {
        const std::string tag(name);
        text += value.empty() ? "<" + tag + "/>"
                              : "<" + tag + ">" + escaped_xml(value) + "</" + tag + ">";
    }
    return text;
}

std::string json_string(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char letter : as_utf8(text)) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            quoted += std::string("\\") + letter;
        } else if (byte < 0x20) {
            quoted += std::string("\\u00") + kDigits[byte >> 4] + kDigits[byte & 0xf];
        } else {
            quoted += letter;
        }
    }
    return quoted + "\"";
}

// Each behind a comma; numbers as numbers, words without a value as true.
std::string in_json(const Attributes& attributes) {
    std::string text;
    for (const auto& [name, value] : attributes) {
        const bool number = !value.empty() && value.size() < 16 &&
                            value.find_first_not_of("0123456789") == std::string::npos;
        const bool comment = name == "comment" && value.size() >= 2;
        text += ", " + json_string(name) + ": ";
        if (value.empty()) {
            text += "true";
        } else if (comment) {
            text += json_string(std::string_view(value).substr(1, value.size() - 2));
        } else {
            text += number ? value : json_string(value);
        }
    }
    return text;
}

}  // namespace

bool SetListing::advance(const sets::Sets& sets, const sets::References& references,
                         std::size_t steps, Instant now, std::string& out) {
    if (!opened_) {
        opened_ = true;
        out += form_.output == IpsetOutput::Xml ? "<ipsets>\n" : "";
        out += form_.output == IpsetOutput::Json && !form_.single ? "[" : "";
    }
    for (; steps > 0 && at_ < ids_.size(); --steps) {
        const sets::SetId id = ids_[at_];
        if (sets.exists(id) && step(sets.get(id), sets, references, now, out)) {
            continue;
        }
        ++at_;
        phase_ = Phase::Begin;
    }
    if (at_ < ids_.size()) {
        return true;
    }
    out += form_.output == IpsetOutput::Xml ? "</ipsets>\n" : "";
    if (form_.output == IpsetOutput::Json) {
        out += form_.single ? "\n" : "]\n";
    }
    return false;
}

bool SetListing::step(const Set& set, const sets::Sets& sets, const sets::References& references,
                      Instant now, std::string& out) {
    Set::Entry entry;
    switch (phase_) {
        case Phase::Begin:
            cursor_ = elements_ = shown_ = 0;
            sorted_.clear();
            phase_ = form_.names ? Phase::Elements : Phase::Count;
            if (form_.names) {
                head(set, sets, references, out);
                return false;
            }
            elements_ = set.timed() == 0 ? set.size() : 0;
            return true;
        case Phase::Count: {
            // Only those that are not expired count, which takes a walk where some may be.
            const auto found = set.timed() == 0 ? Set::Step::End : set.walk(cursor_, entry, now);
            elements_ += found == Set::Step::Entry ? 1 : 0;
            if (found == Set::Step::End) {
                head(set, sets, references, out);
                cursor_ = 0;
                phase_ = first_of_elements(set);
            }
            return true;
        }
        case Phase::Sort: {
            const auto found = set.walk(cursor_, entry, now);
            if (found == Set::Step::Entry) {
                std::string text;
                element(set, sets, entry, text);
                sorted_.emplace(order_of(entry.element), std::move(text));
            }
            phase_ = found == Set::Step::End ? Phase::Sorted : phase_;
            return true;
        }
        case Phase::Elements: {
            const auto found = set.walk(cursor_, entry, now);
            if (found == Set::Step::Entry) {
                element(set, sets, entry, out);
            }
            phase_ = found == Set::Step::End ? Phase::End : phase_;
            return true;
        }
        case Phase::Sorted:
            if (sorted_.empty()) {
                phase_ = Phase::End;
            } else {
                out += sorted_.extract(sorted_.begin()).mapped();
            }
            return true;
        case Phase::End:
            end(out);
            break;
    }
    return false;
}

SetListing::Phase SetListing::first_of_elements(const Set& set) const {
    if (form_.terse) {
        return Phase::End;
    }
    const bool hash = set.type().storage == sets::Storage::Hash;
    return form_.sorted && hash ? Phase::Sort : Phase::Elements;
}

SetListing::Order SetListing::order_of(const sets::Element& element) {
    std::string rest(element.mac ? mac_text(*element.mac) : "");
    rest += element.iface;
    rest += element.physdev ? "p" : "";
    rest += element.wildcard ? "w" : "";
    return {element.ip,  element.prefix,  element.protocol, element.port,
            element.ip2, element.prefix2, element.mark,     std::move(rest)};
}

void SetListing::head(const Set& set, const sets::Sets& sets, const sets::References& references,
                      std::string& out) const {
    const std::string& called = sets.name_of(ids_[at_]);
    const auto by_rules = references.find(called);
    const std::size_t held =
        (by_rules == references.end() ? 0 : by_rules->second) + sets.lists_with(ids_[at_]);
    const std::string type(set.type().name);
    switch (form_.output) {
        case IpsetOutput::Save:
            out += create_line(called, set);
            break;
        case IpsetOutput::Xml:
            out += "<ipset name=\"" + escaped_xml(called) + "\"" + (form_.names ? "/>\n" : ">\n");
            if (!form_.names) {
                out += "<type>" + type + "</type>\n<revision>" +
                       std::to_string(set.type().revision) + "</revision>\n<header>" +
                       in_xml(header_attributes(set)) + "\n<memsize>" +
                       std::to_string(set.bytes()) + "</memsize>\n<references>" +
                       std::to_string(held) + "</references>\n<numentries>" +
                       std::to_string(elements_) + "</numentries>\n</header>\n";
                out += form_.terse ? "" : "<members>\n";
            }
            break;
        case IpsetOutput::Json:
            out += (at_ == 0 ? "" : ",\n") + std::string("{\"name\": ") + json_string(called) +
                   ", \"type\": " + json_string(type) + in_json(header_attributes(set)) +
                   ", \"memory_bytes\": " + std::to_string(set.bytes()) +
                   ", \"references\": " + std::to_string(held) +
                   ", \"elements\": " + std::to_string(elements_) +
                   (form_.terse ? "" : ", \"entries\": [");
            break;
        case IpsetOutput::Default:
        case IpsetOutput::Plain:
            if (form_.names) {
                out += called + "\n";
                break;
            }
            out += (at_ == 0 ? "Name: " : "\nName: ") + called + "\nType: " + type +
                   "\nRevision: " + std::to_string(set.type().revision) +
                   "\nHeader:" + in_words(header_attributes(set)) +
                   "\nSize in memory: " + std::to_string(set.bytes()) +
                   "\nReferences: " + std::to_string(held) +
                   "\nNumber of entries: " + std::to_string(elements_) + "\n" +
                   (form_.terse ? "" : "Members:\n");
            break;
    }
}

void SetListing::element(const Set& set, const sets::Sets& sets, const Set::Entry& entry,
                         std::string& out) {
    const std::string text = element_text(entry.element, set.type(), sets);
    const Attributes known = element_attributes(entry, set.spec());
    switch (form_.output) {
        case IpsetOutput::Save:
            out +=
                "add " + name_text(sets.name_of(ids_[at_])) + " " + text + in_words(known) + "\n";
            break;
        case IpsetOutput::Xml:
            out += "<member><elem>" + escaped_xml(text) + "</elem>" + in_xml(known) + "</member>\n";
            break;
        case IpsetOutput::Json:
            out += std::string(shown_++ == 0 ? "" : ",") + "\n {\"element\": " + json_string(text) +
                   in_json(known) + "}";
            break;
        case IpsetOutput::Default:
        case IpsetOutput::Plain:
            out += text + in_words(known) + "\n";
            break;
    }
}

void SetListing::end(std::string& out) {
    if (form_.output == IpsetOutput::Xml) {
        out += form_.terse ? "</ipset>\n" : "</members>\n</ipset>\n";
    } else if (form_.output == IpsetOutput::Json) {
        out += form_.terse ? "}" : "]}";
    }
}

}  // namespace nsr::router
