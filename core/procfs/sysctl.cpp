#include "core/procfs/sysctl.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "core/base/words.hpp"
#include "core/procfs/table_size.hpp"

namespace nsr::procfs {

namespace {

// What was written. kernel: proc_get_long
struct Number {
    bool negative = false;
    std::uint64_t magnitude = 0;
};

using Names = std::vector<std::string>;

std::string name_of_path(std::string_view path);
std::string_view starred_part(std::string_view path, std::string_view pattern);
std::optional<Sysctl> of_interface(const SysctlRow& row, std::string_view interface,
                                   const Names& interfaces);
std::string text_of(const SysctlRow& row, std::uint64_t value);
std::uint64_t value_of(const Sysctl& sysctl, pipeline::Settings& settings);
Result<std::int64_t, Failure> parse(const SysctlRow& row, std::string_view text);
Result<Done, Failure> check_bounds(const SysctlRow& row, std::uint64_t value,
                                   std::uint64_t memory_limit_bytes, pipeline::Settings& settings);
void store(const Sysctl& sysctl, std::int64_t value, pipeline::Settings& settings);
Failure out_of_range(const SysctlRow& row);

}  // namespace

std::string sysctl_path(std::string_view name) {
    std::string path(name);
    const std::size_t first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.') {
        path = name_of_path(path);
    }
    return path;
}

std::optional<Sysctl> find_sysctl(std::string_view name, const Names& interfaces) {
    constexpr std::string_view kRoot = "net/";
    const std::string whole = sysctl_path(name);
    if (!whole.starts_with(kRoot)) {
        return std::nullopt;
    }
    const std::string_view path = std::string_view(whole).substr(kRoot.size());
    for (const SysctlRow& row : sysctl_rows()) {
        if (!row.per_interface() && row.name == path) {
            return Sysctl{&row};
        }
        if (row.per_interface()) {
            const auto found = of_interface(row, starred_part(path, row.name), interfaces);
            if (found) {
                return found;
            }
        }
    }
    return std::nullopt;
}

std::optional<Sysctl> find_sysctl(std::string_view name, const Context& context) {
    const auto found = find_sysctl(name, context.router.interfaces().names_by_index());
    const bool exists =
        found && (!found->row->needs_tracking() || context.router.tracking_active());
    return exists ? found : std::nullopt;
}

std::string read_sysctl(const Sysctl& sysctl, const Context& context) {
    pipeline::Settings settings = context.router.settings();
    return read_sysctl(sysctl, context, settings);
}

std::string read_sysctl(const Sysctl& sysctl, const Context& context,
                        pipeline::Settings& settings) {
    return sysctl.row->kind == SysctlKind::Count ? std::to_string(context.router.connections())
                                                 : text_of(*sysctl.row, value_of(sysctl, settings));
}

Result<Done, Failure> check_sysctl(const Sysctl& sysctl, std::string_view text) {
    if (!sysctl.row->writable()) {
        return Failure{Errno::Access, "read-only"};
    }
    if (const auto number = parse(*sysctl.row, text); !number) {
        return number.error();
    }
    return Done{};
}

Result<Done, Failure> set_sysctl(const Sysctl& sysctl, std::string_view text,
                                 std::uint64_t memory_limit_bytes, pipeline::Settings& settings) {
    const SysctlRow& row = *sysctl.row;
    if (!row.writable()) {
        return Failure{Errno::Access, "read-only"};
    }
    if (text.empty()) {  // kernel: a write of no bytes changes nothing
        return Done{};
    }
    const auto number = parse(row, text);
    if (!number) {
        return number.error();
    }
    const auto within =
        check_bounds(row, static_cast<std::uint64_t>(*number), memory_limit_bytes, settings);
    if (within) {
        store(sysctl, *number, settings);
    }
    return within;
}

Result<Done, Failure> write_sysctl(const Sysctl& sysctl, Context& context, std::string_view text) {
    pipeline::Settings settings = context.router.settings();
    auto done = set_sysctl(sysctl, text, context.memory_limit_bytes, settings);
    if (done) {
        context.router.configure(settings);
    }
    return done;
}

Result<std::string, Failure> read_sysctl(const Context& context, std::string_view name) {
    const auto found = find_sysctl(name, context);
    if (!found) {
        return Failure{Errno::NoEntry, std::string(why_no_sysctl(name))};
    }
    return read_sysctl(*found, context);
}

Result<Done, Failure> write_sysctl(Context& context, std::string_view name, std::string_view text) {
    const auto found = find_sysctl(name, context);
    if (!found) {
        return Failure{Errno::NoEntry, std::string(why_no_sysctl(name))};
    }
    return write_sysctl(*found, context, text);
}

namespace {

// --- names ---

// The exchange of both separators; its own inverse.
std::string name_of_path(std::string_view path) {
    return exchanged(path, '/', '.');
}

// What stands for the `*` of `pattern` in `path`; empty: they differ.
std::string_view starred_part(std::string_view path, std::string_view pattern) {
    const std::size_t star = pattern.find('*');
    const std::string_view before = pattern.substr(0, star);
    const std::string_view behind = pattern.substr(star + 1);
    if (path.size() <= before.size() + behind.size() || !path.starts_with(before) ||
        !path.ends_with(behind)) {
        return {};
    }
    return path.substr(before.size(), path.size() - before.size() - behind.size());
}

std::optional<Sysctl> of_interface(const SysctlRow& row, std::string_view interface,
                                   const Names& interfaces) {
    if (interface == "all" || interface == "default") {
        return Sysctl{&row, interface == "all" ? Sysctl::Scope::All : Sysctl::Scope::Default};
    }
    const auto found = std::find(interfaces.begin(), interfaces.end(), interface);
    if (interface.empty() || found == interfaces.end()) {
        return std::nullopt;
    }
    const auto index = static_cast<IfIndex>(found - interfaces.begin() + 1);
    return Sysctl{&row, Sysctl::Scope::Interface, index};
}

// --- reading ---

std::uint64_t value_of(const Sysctl& sysctl, pipeline::Settings& settings) {
    const SysctlRow& row = *sysctl.row;
    if (row.kind == SysctlKind::Fixed) {
        return static_cast<std::uint64_t>(row.initial);
    }
    if (const auto* number = std::get_if<SysctlRow::Number>(&row.where)) {
        return (*number)(settings);
    }
    if (const auto* bytes = std::get_if<SysctlRow::Bytes>(&row.where)) {
        return (*bytes)(settings);
    }
    const pipeline::PerInterface& values = std::get<SysctlRow::PerInterface>(row.where)(settings);
    switch (sysctl.scope) {
        case Sysctl::Scope::All:
            return values.all;
        case Sysctl::Scope::Default:
            return values.otherwise;
        case Sysctl::Scope::Interface:
            break;
    }
    return values.of(sysctl.interface);
}

// Numbers that may be negative are kept as two's complement of 32 bits.
std::string text_of(const SysctlRow& row, std::uint64_t value) {
    return row.least < 0 ? std::to_string(static_cast<std::int32_t>(value)) : std::to_string(value);
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

Result<std::int64_t, Failure> parse(const SysctlRow& row, std::string_view text) {
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
    if (row.kind == SysctlKind::Fixed) {
        return {Errno::Invalid, std::to_string(row.initial) + ": " + std::string(row.reason)};
    }
    return {Errno::Invalid, std::to_string(row.least) + ".." + std::to_string(row.most)};
}

Failure unaffordable(std::uint64_t entries, std::uint64_t memory_limit_bytes);

// What depends on other values, or on the memory there is. differs: max-within-memory
Result<Done, Failure> check_bounds(const SysctlRow& row, std::uint64_t value,
                                   std::uint64_t memory_limit_bytes, pipeline::Settings& settings) {
    const auto fits = [&](std::uint64_t bytes_each) {
        return memory_limit_bytes == 0 || value <= memory_limit_bytes / bytes_each;
    };
    constexpr std::uint64_t kBytesPerBucket = 64;
    switch (row.kind) {
        case SysctlKind::HighThreshold:
            if (value < row.other(settings)) {
                return Failure{Errno::Invalid, "not less than the low threshold"};
            }
            break;
        case SysctlKind::LowThreshold:
            if (value > row.other(settings)) {
                return Failure{Errno::Invalid, "not more than the high threshold"};
            }
            break;
        case SysctlKind::Max:
            if (!fits(kBytesPerEntry)) {
                return unaffordable(value, memory_limit_bytes);
            }
            break;
        case SysctlKind::Buckets:
            if (!fits(kBytesPerBucket)) {
                return Failure{Errno::NoMemory, "more buckets than memory can hold"};
            }
            break;
        default:
            break;
    }
    return Done{};
}

Failure unaffordable(std::uint64_t entries, std::uint64_t memory_limit_bytes) {
    return {Errno::NoMemory,
            std::to_string(entries) + " entries of " + std::to_string(kBytesPerEntry) +
                " bytes need " + std::to_string(entries * kBytesPerEntry) +
                " bytes, the limit is " + std::to_string(memory_limit_bytes) + " (at most " +
                std::to_string(memory_limit_bytes / kBytesPerEntry) + " entries)"};
}

void store(const Sysctl& sysctl, std::uint32_t value, pipeline::PerInterface& values);

void store(const Sysctl& sysctl, std::int64_t value, pipeline::Settings& settings) {
    const SysctlRow& row = *sysctl.row;
    if (row.kind == SysctlKind::Fixed) {
        return;
    }
    if (const auto* bytes = std::get_if<SysctlRow::Bytes>(&row.where)) {
        (*bytes)(settings) = static_cast<std::uint64_t>(value);
        return;
    }
    auto number = static_cast<std::uint32_t>(value);
    if (row.kind == SysctlKind::Milliseconds) {
        constexpr std::uint32_t kTick = 1000 / kJiffiesPerSecond;
        number = (number + kTick - 1) / kTick * kTick;
    }
    if (const auto* where = std::get_if<SysctlRow::Number>(&row.where)) {
        (*where)(settings) = number;
        return;
    }
    store(sysctl, number, std::get<SysctlRow::PerInterface>(row.where)(settings));
}

// kernel: devinet_conf_proc, devinet_sysctl_forward, addrconf_fixup_forwarding,
// addrconf_disable_ipv6
void store(const Sysctl& sysctl, std::uint32_t value, pipeline::PerInterface& values) {
    const Spread spread = sysctl.row->spread;
    switch (sysctl.scope) {
        case Sysctl::Scope::All:
            if (spread == Spread::Everywhere ||
                (spread == Spread::OnChange && values.all != value)) {
                values.set_everywhere(value);
            }
            values.all = value;
            break;
        case Sysctl::Scope::Default:
            values.otherwise = value;
            break;
        case Sysctl::Scope::Interface:
            values.set(sysctl.interface, value);
            break;
    }
}

}  // namespace

}  // namespace nsr::procfs
