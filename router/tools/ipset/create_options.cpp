// What a new set is to be.
#include <algorithm>
#include <bit>

#include "core/base/words.hpp"
#include "router/tools/ipset/option_words.hpp"
#include "router/tools/ipset/options.hpp"
#include "router/tools/ipset/port_words.hpp"

namespace nsr::router {

namespace {

using sets::Part;
using sets::SetSpec;
using sets::Storage;

class CreateReader {
  public:
    CreateReader(const sets::SetType& type, const std::vector<std::string>& options)
        : words_(options) {
        made_.spec.type = &type;
    }

    Result<NewSet, IpsetProblem> read();

  private:
    void read_option(std::string_view name);
    bool read_extension(std::string_view name);
    bool read_hash_option(std::string_view name);
    bool read_mask(std::string_view name);
    bool read_bitmap_option(std::string_view name);
    void read_family(const std::string& family);
    void read_range(const std::string& text);
    void read_bound(const std::string& text, bool last);
    void finish();
    void finish_range();
    [[nodiscard]] unsigned address_bits() const {
        return made_.spec.family == Family::Ipv6 ? 128 : 32;
    }

    OptionWords words_;
    NewSet made_;
    bool first_given_ = false;
    bool last_given_ = false;
    std::optional<std::string> mask_text_;  // read when the family is known
    bool mask_is_bits_ = false;
};

Result<NewSet, IpsetProblem> CreateReader::read() {
    SetSpec& spec = made_.spec;
    const bool bitmap_of_addresses =
        spec.type->storage == Storage::Bitmap && spec.type->has(Part::Ip);
    spec.family = spec.type->both_families() || bitmap_of_addresses ? Family::Ipv4 : Family::None;
    while (!words_.at_end()) {
        read_option(words_.name());
    }
    finish();
    if (words_.failed()) {
        return words_.problem();
    }
    return std::move(made_);
}

void CreateReader::read_option(std::string_view name) {
    const Storage storage = made_.spec.type->storage;
    if (read_extension(name) || (storage == Storage::Hash && read_hash_option(name)) ||
        (storage == Storage::Bitmap && read_bitmap_option(name)) || read_mask(name)) {
        return;
    }
    if (storage == Storage::List && name == "size") {
        constexpr std::uint32_t kLeast = 4;  // kernel: IP_SET_LIST_MIN_SIZE
        made_.spec.size =
            std::max(kLeast, static_cast<std::uint32_t>(words_.number(0, 0xffffffff)));
        return;
    }
    words_.unknown();
}

bool CreateReader::read_extension(std::string_view name) {
    SetSpec& spec = made_.spec;
    if (name == "timeout") {
        words_.once(spec.timeout.has_value());
        spec.timeout = static_cast<std::uint32_t>(words_.number(0, sets::kMaxTimeout));
    } else if (name == "counters") {
        spec.counters = true;
    } else if (name == "comment") {
        spec.comment = true;
    } else if (name == "skbinfo") {
        spec.skbinfo = true;
    } else {
        return false;
    }
    return true;
}

bool CreateReader::read_hash_option(std::string_view name) {
    SetSpec& spec = made_.spec;
    if (spec.type->both_families() && name == "family") {
        read_family(words_.value());
    } else if (spec.type->both_families() && (name == "-4" || name == "-6")) {
        spec.family = name == "-4" ? Family::Ipv4 : Family::Ipv6;
    } else if (name == "hashsize") {
        spec.hashsize = static_cast<std::uint32_t>(words_.number(0, 0xffffffff));
    } else if (name == "maxelem") {
        spec.maxelem = static_cast<std::uint32_t>(words_.number(0, 0xffffffff));
    } else if (name == "bucketsize") {
        constexpr std::uint64_t kLeast = 2;
        constexpr std::uint64_t kMost = 12;  // kernel: AHASH_MAX_SIZE
        spec.bucketsize =
            static_cast<std::uint8_t>(std::clamp(words_.number(0, 255), kLeast, kMost));
    } else if (name == "initval") {
        spec.initval = static_cast<std::uint32_t>(words_.number(0, 0xffffffff));
        made_.initval_given = true;
    } else if (name == "forceadd") {
        spec.forceadd = true;
    } else if (name == "probes" || name == "resize" || name == "gc") {
        made_.ignored.push_back("--" + std::string(name) + " " + words_.value());
    } else {
        return false;
    }
    return true;
}

bool CreateReader::read_mask(std::string_view name) {
    const sets::SetType& type = *made_.spec.type;
    const bool nets = type.parts[0] == Part::Net && type.parts[1] == Part::Net;
    const bool netmasks =
        type.name == "hash:ip" || type.name == "hash:ip,port" || type.name == "bitmap:ip" || nets;
    if (name == "markmask" && type.has(Part::Mark)) {
        made_.spec.markmask = static_cast<std::uint32_t>(words_.number(0, 0xffffffff));
    } else if (netmasks &&
               (name == "netmask" || (name == "bitmask" && type.storage == Storage::Hash))) {
        if (mask_text_) {
            words_.fail(
                "Syntax error: bitmask and netmask are mutually exclusive, provide only one");
        }
        mask_text_ = words_.value();
        mask_is_bits_ = name == "bitmask";
    } else {
        return false;
    }
    return true;
}

bool CreateReader::read_bitmap_option(std::string_view name) {
    if (name == "range" || name == "network") {
        read_range(words_.value());
    } else if (name == "from" || name == "to") {
        read_bound(words_.value(), name == "to");
    } else {
        return false;
    }
    return true;
}

void CreateReader::read_family(const std::string& family) {
    if (family == "inet" || family == "ipv4" || family == "-4") {
        made_.spec.family = Family::Ipv4;
    } else if (family == "inet6" || family == "ipv6" || family == "-6") {
        made_.spec.family = Family::Ipv6;
    } else {
        words_.fail("Syntax error: unknown inet family " + family);
    }
}

// "10.0.0.0/24", "10.0.0.0-10.0.0.255", "0-1023", "tcp:http-443"
void CreateReader::read_range(const std::string& text) {
    if (words_.failed()) {
        return;
    }
    sets::SetSpec whole = made_.spec;
    whole.netmask.reset();
    whole.first = 0;
    whole.last = 0xffffffff;
    if (made_.spec.type->has(Part::Port)) {
        const auto ports = parse_plain_ports(text);
        if (!ports) {
            words_.fail(ports.error().text);
            return;
        }
        first_given_ = true;
        last_given_ = text.find('-') != std::string::npos;
        made_.spec.first = ports->first;
        made_.spec.last = ports->last;
        return;
    }
    whole.type = sets::find_type("hash:ip");
    const auto elements = parse_elements(text, whole, IpsetVerb::Add);
    if (!elements) {
        words_.fail(elements.error().text);
    } else if (!elements->parts().first) {
        words_.fail("Syntax error: IP/cidr or IP-IP range must be specified: " + text);
    } else {
        first_given_ = last_given_ = true;
        made_.spec.first = elements->parts().first->first;
        made_.spec.last = elements->parts().first->last;
    }
}

void CreateReader::read_bound(const std::string& text, bool last) {
    std::uint32_t value = 0;
    if (made_.spec.type->has(Part::Port)) {
        const auto ports = parse_plain_ports(text);
        if (!ports) {
            words_.fail(ports.error().text);
            return;
        }
        value = ports->first;
    } else {
        const auto address = parse_ipset_address(text, Family::Ipv4);
        if (!address) {
            words_.fail("Syntax error: cannot parse " + text +
                        ": resolving to IPv4 address failed");
            return;
        }
        value = address->as_v4();
    }
    (last ? last_given_ : first_given_) = true;
    (last ? made_.spec.last : made_.spec.first) = value;
}

void CreateReader::finish() {
    SetSpec& spec = made_.spec;
    if (mask_text_ && mask_is_bits_) {
        const auto mask = parse_ipset_address(*mask_text_, spec.family);
        if (!mask) {
            words_.fail("Syntax error: bitmask is not valid for family = " +
                        std::string(spec.family == Family::Ipv6 ? "inet6" : "inet"));
        } else if (mask->words == IpAddress{}.words) {
            words_.fail("The value of the netmask parameter is invalid");
        }
        spec.bitmask = mask;
    } else if (mask_text_) {
        const std::vector<std::string> one = {"netmask", *mask_text_};
        OptionWords word(one);
        word.name();
        const auto length = word.number(1, address_bits());
        if (word.failed()) {
            words_.fail(word.problem().text +
                        "\nSyntax error: netmask is out of the inclusive range of 1-" +
                        std::to_string(address_bits()));
        }
        if (length != address_bits()) {
            spec.netmask = static_cast<std::uint8_t>(length);
        }
    }
    if (spec.type->storage == Storage::Bitmap && !words_.failed()) {
        finish_range();
    }
}

// A bitmap of networks holds whole ones.
void CreateReader::finish_range() {
    SetSpec& spec = made_.spec;
    if (!first_given_ || !last_given_) {
        words_.fail(
            std::string("Mandatory option `") + (first_given_ ? "to" : "range") + "' is missing",
            2);
        return;
    }
    if (spec.first > spec.last) {
        std::swap(spec.first, spec.last);
    }
    if (spec.netmask) {
        const auto rest = static_cast<std::uint32_t>(spec.hosts() - 1);
        const bool one = (spec.first & ~rest) == (spec.last & ~rest);
        if (one && (spec.last - spec.first) < rest) {
            words_.fail("Element is out of the range of the set");
        }
        spec.first &= ~rest;
        spec.last |= rest;
    }
}

}  // namespace

Result<NewSet, IpsetProblem> read_create_options(const std::string& type,
                                                 const std::vector<std::string>& options) {
    const sets::SetType* found = sets::find_type(type);
    if (found == nullptr) {
        return IpsetProblem{"Syntax error: typename '" + type + "' is unknown"};
    }
    return CreateReader(*found, options).read();
}

}  // namespace nsr::router
