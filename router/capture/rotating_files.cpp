#include "router/capture/rotating_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/base/plain_number.hpp"

namespace nsr::router {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::size_t kBlockHead = 8;

// As the writer of this program writes it.
std::uint32_t load_little(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
}

std::string formatted(const std::string& name, std::time_t at) {
    std::tm local{};
    ::localtime_r(&at, &local);
    std::array<char, 4096> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), name.c_str(), &local);
    return {text.data(), length};
}

// tcpdump: getWflagChars
std::size_t digits_of(std::uint64_t files) {
    return files < 2 ? 0 : std::to_string(files - 1).size();
}

}  // namespace

std::optional<std::uint64_t> parse_file_size(std::string_view text) {
    constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
        {"", 1'000'000},   {"k", 1ull << 10}, {"K", 1ull << 10}, {"m", 1ull << 20},
        {"M", 1ull << 20}, {"g", 1ull << 30}, {"G", 1ull << 30}};
    const auto number = take_number(text);
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [&](const auto& each) { return each.first == text; });
    if (!number || unit == std::end(kUnits) || *number == 0 ||
        *number > (1ull << 62) / unit->second) {
        return std::nullopt;
    }
    return *number * unit->second;
}

std::string rotation_problem(const std::string& name, const Rotation& rotation, std::time_t now) {
    const bool rotates = rotation.bytes != 0 || rotation.seconds != 0;
    if (name == "-" && (rotates || rotation.files != 0)) {
        return "-C, -G and -W are about files, and -w - is standard output: -w FILE";
    }
    if (rotation.files != 0 && !rotates) {
        return "-W counts the files that -C or -G begin: give one of them, too";
    }
    if (rotation.files != 0 && rotation.bytes != 0 && rotation.seconds != 0) {
        return "-W counts the files of -C or those of -G: with both of them leave it out";
    }
    if (rotation.seconds != 0) {
        const auto step = static_cast<std::time_t>(rotation.seconds);
        const std::string next = formatted(name, now + step);
        if (next == formatted(name, now) || next == formatted(name, now + 2 * step)) {
            return "-G: " + name + " is the same name after " + std::to_string(rotation.seconds) +
                   " seconds, and each file would overwrite the one before: put a time into it, "
                   "as strftime(3) has it, such as %Y%m%d-%H%M%S";
        }
    }
    return {};
}

RotatingFiles::RotatingFiles(std::string name, const Rotation& rotation,
                             std::function<std::time_t()> clock)
    : name_(std::move(name)), rotation_(rotation), clock_(std::move(clock)) {
}

bool RotatingFiles::write(std::string_view bytes) {
    pending_ += bytes;
    std::size_t at = 0;
    while (!over_ && pending_.size() - at >= kBlockHead) {
        const std::size_t length = load_little(pending_, at + 4);
        if (length < kBlockHead || pending_.size() - at < length) {
            break;
        }
        block(std::string_view(pending_).substr(at, length));
        at += length;
    }
    pending_.erase(0, at);
    if (file_ != nullptr && std::fflush(file_.get()) != 0) {
        throw std::runtime_error(path_ + ": " + std::strerror(errno));
    }
    return !over_;
}

void RotatingFiles::block(std::string_view block) {
    const std::uint32_t type = load_little(block, 0);
    if (type != kSectionHeader && type != kInterfaceDescription) {
        return packet(block);
    }
    if (type == kSectionHeader) {
        head_.clear();
    }
    if (file_ == nullptr) {
        begun_ = clock_();
        open();
    }
    head_ += block;
    put(block);
}

void RotatingFiles::packet(std::string_view block) {
    const std::time_t now = clock_();
    if (rotation_.seconds != 0 && now - begun_ >= static_cast<std::time_t>(rotation_.seconds)) {
        begun_ = now;
        number_ = 0;
        ++periods_;
        if (rotation_.files != 0 && periods_ >= rotation_.files) {
            over_ = true;
            return;
        }
        open();
    }
    if (rotation_.bytes != 0 && has_packets_ && written_ > rotation_.bytes) {
        ++number_;
        if (rotation_.files != 0 && number_ >= rotation_.files) {
            number_ = 0;
        }
        open();
    }
    put(block);
    has_packets_ = true;
}

void RotatingFiles::put(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
        throw std::runtime_error(path_ + ": " + std::strerror(errno));
    }
    written_ += bytes.size();
}

void RotatingFiles::open() {
    path_ = name_now();
    file_.reset(path_ == "-" ? stdout : std::fopen(path_.c_str(), "wb"));
    if (file_ == nullptr) {
        throw std::runtime_error(path_ + ": " + std::strerror(errno));
    }
    written_ = 0;
    has_packets_ = false;
    put(head_);
}

// tcpdump: MakeFilename
std::string RotatingFiles::name_now() const {
    std::string name = rotation_.seconds != 0 ? formatted(name_, begun_) : name_;
    const std::size_t digits = rotation_.bytes != 0 ? digits_of(rotation_.files) : 0;
    if (number_ == 0 && digits == 0) {
        return name;
    }
    const std::string number = std::to_string(number_);
    name.append(digits > number.size() ? digits - number.size() : 0, '0');
    return name + number;
}

void RotatingFiles::Close::operator()(std::FILE* file) const {
    if (file != stdout) {
        std::fclose(file);
    }
}

}  // namespace nsr::router
