#include <algorithm>
#include <filesystem>

#include "core/base/plain_number.hpp"
#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

void read_shards(Section& section, Config& config);
void read_spin(Section& section, Config& config);
void read_capture_ring(Section& section, Config& config);
std::optional<std::uint64_t> read_size(std::string_view text);

}  // namespace

bool is_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.size() <= 64 &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
           });
}

void read_router(Section section, Config& config) {
    config.name = std::filesystem::path(config.path).stem().string();
    if (!is_file_name(config.name)) {
        config.name = "router";
    }
    std::string name;
    if (section.string("name", name)) {
        if (is_file_name(name)) {
            config.name = name;
        } else {
            section.fail(
                section.take("name")->value.where,
                "name must be 1 to 64 letters, digits, '.', '_' or '-', not \"" + name + "\"");
        }
    }
    if (const auto offload = section.one_of("offload", {"on", "off"})) {
        config.offload = *offload == 0;
    }
    section.boolean("coalesce", config.coalesce);
    section.boolean("ring", config.ring);
    read_shards(section, config);
    read_spin(section, config);
    read_capture_ring(section, config);
    section.finish();
}

namespace {

void read_shards(Section& section, Config& config) {
    std::int64_t shards = 1;
    if (section.integer("shards", {1, conntrack::Shard::kMost}, shards)) {
        config.shards = static_cast<unsigned>(shards);
        config.shards_where = section.take("shards")->value.where;
    }
}

void read_spin(Section& section, Config& config) {
    constexpr unsigned kMostMicroseconds = 1000;
    std::string text;
    if (!section.string("spin", text)) {
        return;
    }
    std::string_view unit = text;
    const auto number = take_number(unit);
    if (text == "off") {
        config.spin = Duration{};
    } else if (text == "busy") {
        config.spin = kSpinBusy;
    } else if (number && unit == "us" && *number != 0 && *number <= kMostMicroseconds) {
        config.spin = std::chrono::microseconds(*number);
    } else {
        section.fail(section.take("spin")->value.where,
                     "spin must be \"off\", \"busy\" or a time from \"1us\" to \"1000us\", not \"" +
                         text + "\"");
    }
}

void read_capture_ring(Section& section, Config& config) {
    constexpr std::uint64_t kLeast = 64ull << 10;
    constexpr std::uint64_t kMost = 64ull << 20;
    std::string text;
    if (!section.string("capture_ring", text)) {
        return;
    }
    const auto bytes = read_size(text);
    if (bytes && (*bytes == 0 || (*bytes >= kLeast && *bytes <= kMost))) {
        config.capture_ring_bytes = static_cast<std::size_t>(*bytes);
    } else {
        section.fail(section.take("capture_ring")->value.where,
                     "capture_ring must be \"0\" or a size from \"64 KiB\" to \"64 MiB\", not \"" +
                         text + "\"");
    }
}

// "0", "512 KiB", "4 MiB"
std::optional<std::uint64_t> read_size(std::string_view text) {
    if (text == "0") {
        return 0;
    }
    const auto number = take_number(text);
    if (!number || *number == 0 || *number > 1u << 20 || (text != " KiB" && text != " MiB")) {
        return std::nullopt;
    }
    return *number << (text == " KiB" ? 10 : 20);
}

}  // namespace

}  // namespace nsr::router
