#include "router/bundle/tar.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace nsr::router {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameBytes = 100;

// POSIX.1-1988, struct posix_header: where its fields are, and how many bytes they have.
struct Field {
    std::size_t at;
    std::size_t bytes;
};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kSum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kMagic{257, 8};
constexpr Field kPrefix{345, 155};

void put_octal(std::string& header, const Field& field, std::uint64_t value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%0*llo", static_cast<int>(field.bytes - 1),
                  static_cast<unsigned long long>(value));
    header.replace(field.at, field.bytes - 1, text.data(), field.bytes - 1);
}

// With blanks in the place of the sum itself.
std::uint64_t sum_of(std::string_view header) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
        const bool in_sum = i >= kSum.at && i < kSum.at + kSum.bytes;
        sum += in_sum ? ' ' : static_cast<unsigned char>(header[i]);
    }
    return sum;
}

std::string header_of(const ArchivedFile& file, std::uint64_t seconds) {
    std::string header(kBlock, '\0');
    const std::size_t length = std::min(file.name.size(), kNameBytes - 1);
    header.replace(0, length, file.name, 0, length);
    put_octal(header, kMode, 0600);
    put_octal(header, kUid, 0);
    put_octal(header, kGid, 0);
    put_octal(header, kSize, file.bytes.size());
    put_octal(header, kTime, seconds);
    header[kType] = '0';
    header.replace(kMagic.at, kMagic.bytes, std::string_view("ustar\00000", kMagic.bytes));
    put_octal(header, kSum, sum_of(header));
    return header;
}

std::string text_in(std::string_view header, const Field& field) {
    const std::string_view text = header.substr(field.at, field.bytes);
    return std::string(text.substr(0, text.find('\0')));
}

// Digits, then a blank or an end; blanks in front.
std::optional<std::uint64_t> octal_in(std::string_view header, const Field& field) {
    std::string text = text_in(header, field);
    text.erase(0, text.find_first_not_of(' '));
    text.erase(std::min(text.find(' '), text.size()));
    std::uint64_t value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '7') {
            return std::nullopt;
        }
        value = value << 3 | static_cast<std::uint64_t>(digit - '0');
    }
    return text.empty() ? std::nullopt : std::optional(value);
}

std::string name_in(std::string_view header) {
    const std::string name = text_in(header, {0, kNameBytes});
    const std::string prefix = text_in(header, kPrefix);
    return prefix.empty() ? name : prefix + "/" + name;
}

}  // namespace

std::string tar_of(const std::vector<ArchivedFile>& files, std::uint64_t seconds) {
    std::string archive;
    for (const ArchivedFile& file : files) {
        archive += header_of(file, seconds);
        archive += file.bytes;
        archive.append((kBlock - file.bytes.size() % kBlock) % kBlock, '\0');
    }
    archive.append(2 * kBlock, '\0');
    return archive;
}

Result<std::vector<ArchivedFile>, std::string> files_in_tar(std::string_view bytes) {
    std::vector<ArchivedFile> files;
    std::size_t at = 0;
    while (at + kBlock <= bytes.size() && bytes[at] != '\0') {
        const std::string_view header = bytes.substr(at, kBlock);
        const auto size = octal_in(header, kSize);
        const auto sum = octal_in(header, kSum);
        if (!size || !sum || *sum != sum_of(header)) {
            return std::string(files.empty() ? "it is no tar archive"
                                             : "it is damaged behind " + files.back().name);
        }
        at += kBlock;
        if (*size > bytes.size() - at) {
            return name_in(header) + " is cut short";
        }
        const char type = header[kType];
        if (type == '0' || type == '\0') {
            files.push_back({name_in(header), std::string(bytes.substr(at, *size))});
        }
        at += std::min<std::size_t>(bytes.size() - at, (*size + kBlock - 1) / kBlock * kBlock);
    }
    if (files.empty()) {
        return std::string("it is no tar archive, or has nothing in it");
    }
    return files;
}

}  // namespace nsr::router
