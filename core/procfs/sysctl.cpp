#include "core/procfs/sysctl.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "core/procfs/sysctl_table.hpp"
#include "core/procfs/table_size.hpp"
#include "core/procfs/text.hpp"

namespace nsr::procfs {

namespace {

// A row, and for one that exists per interface which one: 0 is "all", i the interface with index i.
struct Key {
    const SysctlRow* row = nullptr;
    std::size_t interface = 0;
};

// What was written. kernel: proc_get_long
struct Number {
    bool negative = false;
    std::uint64_t magnitude = 0;
};

using Names = std::vector<std::string>;

Names interface_names(const Router& router);
std::string path_of(std::string_view name);
std::string name_of_path(std::string_view path);
std::optional<Key> find_key(std::string_view path, const Names& interfaces);
bool is_tracking(const Router& router);
std::string text_of_value(const Key& key, Router& router);
Result<std::int64_t, Failure> parse_for(const SysctlRow& row, std::string_view text);
std::optional<Failure> refuse(const SysctlRow& row, std::int64_t value, const Context& context);
void store(const Key& key, std::int64_t value, Router& router);
Failure out_of_range(const SysctlRow& row);

}  // namespace

Result<std::string, Failure> read_sysctl(const Context& context, std::string_view name) {
    const auto key = find_key(path_of(name), interface_names(context.router));
    if (!key || (key->row->needs_tracking() && !is_tracking(context.router))) {
        return Failure{Errno::NoEntry, {}};
    }
    return text_of_value(*key, context.router);
}

std::optional<Failure> write_sysctl(Context& context, std::string_view name, std::string_view value,
                                    Instant now) {
    const auto key = find_key(path_of(name), interface_names(context.router));
    if (!key || (key->row->needs_tracking() && !is_tracking(context.router))) {
        return Failure{Errno::NoEntry, {}};
    }
    return set_sysctl(context, name, value, now);
}

std::optional<Failure> set_sysctl(Context& context, std::string_view name, std::string_view value,
                                  Instant /*now*/) {
    const auto key = find_key(path_of(name), interface_names(context.router));
    if (!key) {
        return Failure{Errno::NoEntry, {}};
    }
    if (!key->row->writable()) {
        return Failure{Errno::Access, "read-only"};
    }
    if (value.empty()) {  // kernel: a write of no bytes changes nothing
        return std::nullopt;
    }
    const auto number = parse_for(*key->row, value);
    if (!number) {
        return number.error();
    }
    if (auto refused = refuse(*key->row, *number, context)) {
        return refused;
    }
    store(*key, *number, context.router);
    return std::nullopt;
}

std::vector<std::string> sysctl_names(const Context& context) {
    std::vector<std::string> names = sysctl_paths(context);
    for (std::string& name : names) {
        name = name_of_path(name);
    }
    return names;
}

std::vector<std::string> sysctl_paths(const Context& context) {
    const bool tracking = is_tracking(context.router);
    const Names interfaces = interface_names(context.router);
    std::vector<std::string> paths;
    for (const SysctlRow& row : sysctl_rows()) {
        if (row.needs_tracking() && !tracking) {
            continue;
        }
        const std::size_t star = row.name.find('*');
        if (star == std::string_view::npos) {
            paths.push_back("net/" + std::string(row.name));
            continue;
        }
        for (const std::string& interface : interfaces) {
            std::string path(row.name);
            paths.push_back("net/" + path.replace(star, 1, interface));
        }
    }
    // Directory by directory: the separator sorts before every letter of a name.
    const auto in_listing_order = [](char a, char b) {
        return (a == '/' ? '\0' : a) < (b == '/' ? '\0' : b);
    };
    std::sort(paths.begin(), paths.end(), [&](const std::string& a, const std::string& b) {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                            in_listing_order);
    });
    return paths;
}

unsigned sysctl_mode(const Context& context, std::string_view name) {
    const auto key = find_key(path_of(name), interface_names(context.router));
    return key && key->row->writable() ? 0644 : 0444;
}

std::optional<Failure> check_sysctl(std::string_view name, std::string_view value,
                                    const std::vector<std::string>& interfaces) {
    Names names = {"all"};
    names.insert(names.end(), interfaces.begin(), interfaces.end());
    const auto key = find_key(path_of(name), names);
    if (!key) {
        return Failure{Errno::NoEntry, {}};
    }
    if (!key->row->writable()) {
        return Failure{Errno::Access, "read-only"};
    }
    const auto number = parse_for(*key->row, value);
    return number ? std::nullopt : std::optional(number.error());
}

namespace {

// --- names ---

Names interface_names(const Router& router) {
    Names names = {"all"};
    for (const routing::Interface& interface : router.interfaces().all()) {
        names.push_back(interface.name);
    }
    return names;
}

// Whichever of `.` and `/` comes first separates; the other one then stands for itself in names of
// interfaces: net.ipv4.conf.eth0/100.rp_filter is net/ipv4/conf/eth0.100/rp_filter. sysctl(8)
std::string path_of(std::string_view name) {
    std::string path(name);
    const std::size_t first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.') {
        path = name_of_path(path);
    }
    return path;
}

// The exchange of both separators; its own inverse.
std::string name_of_path(std::string_view path) {
    std::string name(path);
    for (char& letter : name) {
        letter = letter == '/' ? '.' : letter == '.' ? '/' : letter;
    }
    return name;
}

std::optional<Key> find_key(std::string_view path, const Names& interfaces) {
    constexpr std::string_view kRoot = "net/";
    if (!path.starts_with(kRoot)) {
        return std::nullopt;
    }
    path.remove_prefix(kRoot.size());
    for (const SysctlRow& row : sysctl_rows()) {
        const std::size_t star = row.name.find('*');
        if (star == std::string_view::npos) {
            if (row.name == path) {
                return Key{&row, 0};
            }
            continue;
        }
        const std::string_view before = row.name.substr(0, star);
        const std::string_view behind = row.name.substr(star + 1);
        if (path.size() <= before.size() + behind.size() || !path.starts_with(before) ||
            !path.ends_with(behind)) {
            continue;
        }
        path = path.substr(before.size(), path.size() - before.size() - behind.size());
        const auto found = std::find(interfaces.begin(), interfaces.end(), path);
        if (found == interfaces.end()) {
            return std::nullopt;
        }
        return Key{&row, static_cast<std::size_t>(found - interfaces.begin())};
    }
    return std::nullopt;
}

bool is_tracking(const Router& router) {
    return router.conntrack().active(Family::Ipv4) || router.conntrack().active(Family::Ipv6);
}

// --- reading ---

std::uint32_t value_of(const Key& key, Router& router) {
    if (key.row->kind == SysctlKind::Count) {
        return router.conntrack().table().size();
    }
    if (key.row->per_interface == nullptr) {
        return key.row->value(router);
    }
    const std::vector<std::uint32_t>& values = key.row->per_interface(router);
    return key.interface < values.size() ? values[key.interface] : 0;
}

// Numbers that may be negative are kept as two's complement.
std::string text_of_value(const Key& key, Router& router) {
    std::string out;
    if (key.row->threshold != nullptr) {
        text::append(out, key.row->threshold(router));
        return out;
    }
    std::uint32_t value = value_of(key, router);
    if (key.row->least < 0 && static_cast<std::int32_t>(value) < 0) {
        out = "-";
        value = 0 - value;
    }
    text::append(out, value);
    return out;
}

// --- writing ---

// Leading blanks, a minus, octal and hexadecimal; then the end or a blank, behind which anything
// may stand. kernel: proc_get_long, strtoul_lenient
std::optional<Number> parse_number(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\n\v\f\r";
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    Number number;
    if (text.starts_with('-')) {
        number.negative = true;
        text.remove_prefix(1);
    }
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.starts_with('0')) {
        base = 8;
    }
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number.magnitude, base);
    const bool rubbish =
        stop != end && *stop != '\0' && kBlanks.find(*stop) == std::string_view::npos;
    if (error != std::errc{} || rubbish) {
        return std::nullopt;
    }
    return number;
}

Result<std::int64_t, Failure> parse_for(const SysctlRow& row, std::string_view text) {
    const auto number = parse_number(text);
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
    if (!number || number->magnitude > kLargest) {
        return out_of_range(row);
    }
    const auto magnitude = static_cast<std::int64_t>(number->magnitude);
    const std::int64_t value = number->negative ? -magnitude : magnitude;
    if (value < row.least || value > row.most) {
        return out_of_range(row);
    }
    return value;
}

Failure out_of_range(const SysctlRow& row) {
    std::string range;
    for (const std::int64_t bound : {row.least, row.most}) {
        range.append(range.empty() ? "" : "..").append(bound < 0 ? "-" : "");
        text::append(range, static_cast<std::uint64_t>(bound < 0 ? -bound : bound));
    }
    return {Errno::Invalid, range};
}

std::optional<Failure> refuse_unaffordable(std::int64_t entries, const Context& context);

// What depends on other values.
std::optional<Failure> refuse(const SysctlRow& row, std::int64_t value, const Context& context) {
    const auto unsigned_value = static_cast<std::uint64_t>(value);
    switch (row.kind) {
        case SysctlKind::HighThreshold:
            if (unsigned_value < row.other(context.router)) {
                return Failure{Errno::Invalid, "not less than the low threshold"};
            }
            return std::nullopt;
        case SysctlKind::LowThreshold:
            if (unsigned_value > row.other(context.router)) {
                return Failure{Errno::Invalid, "not more than the high threshold"};
            }
            return std::nullopt;
        case SysctlKind::Max:
            return refuse_unaffordable(value, context);
        case SysctlKind::Buckets: {
            constexpr std::uint64_t kBytesPerBucket = 64;
            if (context.memory_limit_bytes != 0 &&
                unsigned_value > context.memory_limit_bytes / kBytesPerBucket) {
                return Failure{Errno::NoMemory, "more buckets than memory can hold"};
            }
            return std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

// differs: max-within-memory
std::optional<Failure> refuse_unaffordable(std::int64_t entries, const Context& context) {
    const std::uint64_t needed = static_cast<std::uint64_t>(entries) * kBytesPerEntry;
    if (context.memory_limit_bytes == 0 || needed <= context.memory_limit_bytes) {
        return std::nullopt;
    }
    Failure failure{Errno::NoMemory, {}};
    text::append(failure.detail, static_cast<std::uint64_t>(entries));
    failure.detail += " entries of ";
    text::append(failure.detail, kBytesPerEntry);
    failure.detail += " bytes need ";
    text::append(failure.detail, needed);
    failure.detail += " bytes, the limit is ";
    text::append(failure.detail, context.memory_limit_bytes);
    failure.detail += " (at most ";
    text::append(failure.detail, context.memory_limit_bytes / kBytesPerEntry);
    failure.detail += " entries)";
    return failure;
}

void store(const Key& key, std::int64_t value, Router& router) {
    const SysctlRow& row = *key.row;
    auto number = static_cast<std::uint32_t>(value);
    if (row.threshold != nullptr) {
        row.threshold(router) = static_cast<std::uint64_t>(value);
        return;
    }
    if (row.per_interface != nullptr) {
        std::vector<std::uint32_t>& values = row.per_interface(router);
        values.resize(std::max(values.size(), key.interface + 1));
        values[key.interface] = number;
        return;
    }
    if (row.kind == SysctlKind::Milliseconds) {
        constexpr std::uint32_t kTick = 1000 / kJiffiesPerSecond;
        number = (number + kTick - 1) / kTick * kTick;
    }
    row.value(router) = number;
    if (row.kind == SysctlKind::Buckets) {
        router.conntrack().table().resize(number);
    }
}

}  // namespace

}  // namespace nsr::procfs
