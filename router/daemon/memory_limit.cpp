#include "router/daemon/memory_limit.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string_view>

namespace nsr::router {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::uint64_t number_at(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
        return kUnlimited;
    }
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data() + begin, text.data() + text.size(), value);
    return result.ec == std::errc() ? value : kUnlimited;  // "max"
}

std::uint64_t mem_total(const ReadFile& read_file) {
    constexpr std::string_view kKey = "MemTotal:";
    const std::string text = read_file("/proc/meminfo").value_or("");
    const auto at = text.find(kKey);
    if (at == std::string::npos) {
        return kUnlimited;
    }
    const std::uint64_t kib = number_at(std::string_view(text).substr(at + kKey.size()));
    return kib == kUnlimited ? kUnlimited : kib * 1024;
}

// The limit of `group` and of every group above it.
std::uint64_t group_limit(const ReadFile& read_file, const std::string& root, std::string group,
                          const std::string& file) {
    std::uint64_t limit = kUnlimited;
    for (;;) {
        if (const auto text = read_file(root + group + "/" + file)) {
            limit = std::min(limit, number_at(*text));
        }
        const auto slash = group.rfind('/');
        if (slash == std::string::npos) {
            return limit;
        }
        group.erase(slash);
    }
}

bool names_memory(std::string_view controllers) {
    return ("," + std::string(controllers) + ",").find(",memory,") != std::string::npos;
}

// Lines of /proc/self/cgroup: "0::/path" (v2), "4:memory:/path" (v1).
std::uint64_t cgroup_limit(const ReadFile& read_file) {
    std::istringstream lines(read_file("/proc/self/cgroup").value_or(""));
    std::uint64_t limit = kUnlimited;
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':');
        const auto second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1);
        std::string group = line.substr(second + 1);
        if (group == "/") {
            group.clear();
        }
        if (controllers.empty()) {
            limit = std::min(limit, group_limit(read_file, "/sys/fs/cgroup", group, "memory.max"));
        } else if (names_memory(controllers)) {
            limit = std::min(limit, group_limit(read_file, "/sys/fs/cgroup/memory", group,
                                                "memory.limit_in_bytes"));
        }
    }
    return limit;
}

}  // namespace

std::uint64_t memory_limit(const ReadFile& read_file) {
    const std::uint64_t limit = std::min(mem_total(read_file), cgroup_limit(read_file));
    return limit == kUnlimited ? 0 : limit;
}

std::uint64_t memory_limit() {
    return memory_limit([](const std::string& path) -> std::optional<std::string> {
        std::ifstream file(path);
        if (!file) {
            return std::nullopt;
        }
        return std::string(std::istreambuf_iterator<char>(file), {});
    });
}

}  // namespace nsr::router
