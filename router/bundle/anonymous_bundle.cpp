#include "router/bundle/anonymous_bundle.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "router/base/hex.hpp"
#include "router/bundle/anonymizer.hpp"
#include "router/bundle/anonymous_capture.hpp"
#include "router/bundle/anonymous_text.hpp"

namespace nsr::router {
namespace {

constexpr std::string_view kConfigFolder = "config/";
constexpr std::string_view kHead = "\"head\":\"";

// No hexadecimal: nothing, since nobody knows what it shows.
std::string anonymous_hex(std::string_view hex, const Anonymizer& anonymizer) {
    const auto bytes = bytes_in(hex);
    const auto other = bytes ? anonymous_packet(*bytes, anonymizer) : std::nullopt;
    return other ? hex_of(*other) : std::string();
}

// The first bytes of packets, which records have in hexadecimal.
std::string with_other_heads(std::string_view text, const Anonymizer& anonymizer) {
    std::string out;
    std::size_t at = 0;
    for (std::size_t found = text.find(kHead); found != std::string_view::npos;
         found = text.find(kHead, at)) {
        const std::size_t begin = found + kHead.size();
        const std::size_t end = std::min(text.find('"', begin), text.size());
        out += text.substr(at, begin - at);
        out += anonymous_hex(text.substr(begin, end - begin), anonymizer);
        at = end;
    }
    return out + std::string(text.substr(at));
}

std::string anonymous_file(const Bundle& bundle, const ArchivedFile& file,
                           const Anonymizer& anonymizer) {
    if (file.name == bundle.config) {
        return anonymous_text(without_toml_comments(file.bytes), anonymizer);
    }
    if (file.name.starts_with(kConfigFolder)) {
        return anonymous_text(without_comment_lines(file.bytes), anonymizer);
    }
    const std::string text = anonymous_text(file.bytes, anonymizer);
    return file.name == bundled::kWhyJson ? with_other_heads(text, anonymizer) : text;
}

}  // namespace

std::string make_anonymous(Bundle& bundle, SipKey key) {
    Anonymizer anonymizer(key);
    for (const std::string_view name : {bundled::kInterfaces, std::string_view(bundle.config)}) {
        if (const std::string* text = bundle.find(name)) {
            keep_networks(*text, anonymizer);
        }
    }
    for (const std::string_view name : {bundled::kRules4, bundled::kRules6, bundled::kSets}) {
        const std::string* text = bundle.find(name);
        const std::string wrong =
            text != nullptr ? keep_ranges(*text, std::string(name), anonymizer) : std::string();
        if (!wrong.empty()) {
            return wrong;
        }
    }
    for (ArchivedFile& file : bundle.files) {
        if (file.name == bundled::kCapture) {
            AnonymousCapture other = anonymous_capture(file.bytes, anonymizer);
            file.bytes = std::move(other.pcapng);
            if (other.left_out != 0) {
                bundle.missing.push_back(
                    {file.name, std::to_string(other.left_out) +
                                    " packets have addresses where they would not be found"});
            }
        } else {
            file.bytes = anonymous_file(bundle, file, anonymizer);
        }
    }
    for (BundleMissing& each : bundle.missing) {
        each.why = anonymous_text(each.why, anonymizer);
    }
    bundle.anonymous = true;
    return {};
}

}  // namespace nsr::router
