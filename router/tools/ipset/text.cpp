#include "router/tools/ipset/text.hpp"

#include <algorithm>
#include <cstdio>

#include "core/base/words.hpp"
#include "router/tools/ipset/port_words.hpp"

namespace nsr::router {

namespace {

using sets::Part;
using sets::SetSpec;
using sets::SetType;
using sets::Storage;

std::string hex(std::uint32_t value, const char* format) {
    char text[16];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string network_text(const IpAddress& address, unsigned prefix) {
    const bool host = prefix == address.bits();
    return to_string(address) + (host ? "" : "/" + std::to_string(prefix));
}

std::string range_text(const SetSpec& spec) {
    const auto bound = [&](std::uint32_t at) {
        return spec.type->has(Part::Port) ? std::to_string(at) : to_string(IpAddress::v4(at));
    };
    return bound(spec.first) + "-" + bound(spec.last);
}

std::string part_text(const sets::Element& element, const SetType& type, unsigned at) {
    const IpAddress& address = at == 0 ? element.ip : element.ip2;
    switch (type.parts[at]) {
        case Part::Ip:
            return to_string(address);
        case Part::Net:
            return network_text(address, at == 0 ? element.prefix : element.prefix2);
        case Part::Port:
            return type.has_protocol() ? port_text(element.protocol, element.port)
                                       : std::to_string(element.port);
        case Part::Mark:
            return mark_text(element.mark);
        case Part::Mac:
            return element.mac ? mac_text(*element.mac) : std::string();
        case Part::Iface:
            return (element.physdev ? "physdev:" : "") + element.iface;
        case Part::None:
        case Part::Set:
            break;
    }
    return {};
}

void add_extensions(const SetSpec& spec, Attributes& attributes) {
    if (spec.timeout) {
        attributes.emplace_back("timeout", std::to_string(*spec.timeout));
    }
    const std::pair<bool, std::string_view> flags[] = {{spec.counters, "counters"},
                                                       {spec.comment, "comment"},
                                                       {spec.forceadd, "forceadd"},
                                                       {spec.skbinfo, "skbinfo"}};
    for (const auto& [given, name] : flags) {
        if (given) {
            attributes.emplace_back(name, "");
        }
    }
}

void add_masks(const SetSpec& spec, Attributes& attributes) {
    if (spec.netmask) {
        attributes.emplace_back("netmask", std::to_string(*spec.netmask));
    }
    if (spec.bitmask) {
        attributes.emplace_back("bitmask", to_string(*spec.bitmask));
    }
}

void add_hash(const sets::Set& set, Attributes& attributes) {
    const SetSpec& spec = set.spec();
    if (spec.type->both_families()) {
        attributes.emplace_back("family", spec.family == Family::Ipv6 ? "inet6" : "inet");
    }
    if (spec.type->has(Part::Mark)) {
        attributes.emplace_back("markmask", mark_text(spec.markmask));
    }
    attributes.emplace_back("hashsize", std::to_string(set.hashsize()));
    attributes.emplace_back("maxelem", std::to_string(spec.maxelem));
    const bool alone = spec.type->dimension() == 1;  // masks of hash:ip stand here, others last
    if (alone) {
        add_masks(spec, attributes);
    }
    add_extensions(spec, attributes);
    attributes.emplace_back("bucketsize", std::to_string(spec.bucketsize));
    attributes.emplace_back("initval", mark_text(spec.initval));
    if (!alone) {
        add_masks(spec, attributes);
    }
}

void add_skbinfo(const sets::SkbInfo& info, Attributes& attributes) {
    if (info.mark != 0 || info.mark_mask != 0) {
        const bool whole = info.mark_mask == 0xffffffff;
        attributes.emplace_back(
            "skbmark", hex(info.mark, "0x%x") + (whole ? "" : "/" + hex(info.mark_mask, "0x%x")));
    }
    if (info.priority != 0) {
        attributes.emplace_back(
            "skbprio", hex(info.priority >> 16, "%x") + ":" + hex(info.priority & 0xffff, "%x"));
    }
    if (info.queue != 0) {
        attributes.emplace_back("skbqueue", std::to_string(info.queue));
    }
}

}  // namespace

std::string set_name_problem(std::string_view name) {
    const std::string in = "Syntax error: setname '" + std::string(name) + "' ";
    if (name.empty() || name.size() > sets::kMaxNameBytes) {
        return in + (name.empty()
                         ? "is empty"
                         : "is longer than " + std::to_string(sets::kMaxNameBytes) + " characters");
    }
    const bool odd = std::any_of(name.begin(), name.end(), [](char letter) {
        return letter == '"' || static_cast<unsigned char>(letter) < ' ' || letter == '\x7f';
    });
    const bool leads = name[0] == '-' || name[0] == '#';
    return odd || leads ? in + "cannot hold quotes or control characters, or begin with - or #"
                        : std::string();
}

std::string name_text(std::string_view name) {
    return name.find(' ') == std::string_view::npos ? std::string(name) : in_quotes(name);
}

std::string mark_text(std::uint32_t mark) {
    return hex(mark, "0x%08x");
}

std::string mac_text(const sets::MacAddress& mac) {
    std::string text;
    for (const std::uint8_t byte : mac) {
        text += (text.empty() ? "" : ":") + hex(byte, "%02X");
    }
    return text;
}

std::string element_text(const sets::Element& element, const SetType& type,
                         const sets::Sets& sets) {
    if (type.storage == Storage::List) {
        return name_text(sets.name_of(element.set));
    }
    std::string text = part_text(element, type, 0);
    for (unsigned i = 1; i < type.dimension(); ++i) {
        const std::string part = part_text(element, type, i);
        text += part.empty() ? "" : "," + part;
    }
    return text;
}

Attributes header_attributes(const sets::Set& set) {
    Attributes attributes;
    const SetSpec& spec = set.spec();
    if (spec.type->storage == Storage::Hash) {
        add_hash(set, attributes);
        return attributes;
    }
    if (spec.type->storage == Storage::List) {
        attributes.emplace_back("size", std::to_string(spec.size));
    } else {
        attributes.emplace_back("range", range_text(spec));
        add_masks(spec, attributes);
    }
    add_extensions(spec, attributes);
    return attributes;
}

Attributes element_attributes(const sets::Set::Entry& entry, const SetSpec& spec) {
    Attributes attributes;
    const sets::Extensions& known = entry.known;
    if (known.timeout) {
        attributes.emplace_back("timeout", std::to_string(*known.timeout));
    }
    if (known.nomatch) {
        attributes.emplace_back("nomatch", "");
    }
    if (entry.element.wildcard) {
        attributes.emplace_back("wildcard", "");
    }
    if (known.packets) {
        attributes.emplace_back("packets", std::to_string(*known.packets));
        attributes.emplace_back("bytes", std::to_string(known.bytes.value_or(0)));
    }
    if (known.comment) {
        attributes.emplace_back("comment", in_quotes(*known.comment));
    }
    if (spec.skbinfo && known.skbinfo) {
        add_skbinfo(*known.skbinfo, attributes);
    }
    return attributes;
}

std::string in_words(const Attributes& attributes) {
    std::string text;
    for (const auto& [name, value] : attributes) {
        text += " " + std::string(name);
        text += value.empty() ? "" : " " + value;
    }
    return text;
}

std::string create_line(std::string_view name, const sets::Set& set) {
    return "create " + name_text(name) + " " + std::string(set.type().name) +
           in_words(header_attributes(set)) + "\n";
}

}  // namespace nsr::router
