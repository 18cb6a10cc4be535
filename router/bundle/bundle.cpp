#include "router/bundle/bundle.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "core/base/utf8.hpp"
#include "router/base/json_text.hpp"
#include "router/base/text_file.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

constexpr std::string_view kFolder = "nsrouter-bundle/";
constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr std::int64_t kVersion = 1;

std::string manifest_of(const Bundle& bundle) {
    json::array files;
    for (const ArchivedFile& file : bundle.files) {
        files.push_back({{"name", as_utf8(file.name)}, {"bytes", file.bytes.size()}});
    }
    json::array missing;
    for (const BundleMissing& each : bundle.missing) {
        missing.push_back({{"name", as_utf8(each.name)}, {"why", as_utf8(each.why)}});
    }
    const json::object manifest{{"bundle", kVersion},
                                {"program", as_utf8(bundle.program)},
                                {"instance", as_utf8(bundle.instance)},
                                {"made_ns", bundle.made_ns},
                                {"anonymous", bundle.anonymous},
                                {"config", as_utf8(bundle.config)},
                                {"files", std::move(files)},
                                {"missing", std::move(missing)}};
    return json::serialize(manifest) + "\n";
}

std::string read_manifest(const std::string& text, Bundle& bundle) {
    boost::system::error_code error;
    const json::value parsed = json::parse(text, error);
    const json::object* object = parsed.if_object();
    if (error || object == nullptr) {
        return "its bundle.json is no JSON object";
    }
    const auto number = [&](std::string_view key) {
        const json::value* value = object->if_contains(key);
        const std::int64_t* held = value != nullptr ? value->if_int64() : nullptr;
        return held != nullptr ? *held : 0;
    };
    if (number("bundle") != kVersion) {
        return "it is a bundle of another version: this program reads version " +
               std::to_string(kVersion);
    }
    bundle.program = text_in(*object, "program");
    bundle.instance = text_in(*object, "instance");
    bundle.config = text_in(*object, "config");
    bundle.made_ns = number("made_ns");
    const json::value* anonymous = object->if_contains("anonymous");
    bundle.anonymous = anonymous != nullptr && anonymous->is_bool() && anonymous->get_bool();
    const json::value* missing = object->if_contains("missing");
    const json::array* list = missing != nullptr ? missing->if_array() : nullptr;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        if (const json::object* each = (*list)[i].if_object()) {
            bundle.missing.push_back({text_in(*each, "name"), text_in(*each, "why")});
        }
    }
    return {};
}

}  // namespace

const std::string* Bundle::find(std::string_view name) const {
    const auto at = std::find_if(files.begin(), files.end(),
                                 [&](const ArchivedFile& file) { return file.name == name; });
    return at == files.end() ? nullptr : &at->bytes;
}

std::string tar_of(const Bundle& bundle) {
    std::vector<ArchivedFile> files{{std::string(bundled::kManifest), manifest_of(bundle)}};
    files.insert(files.end(), bundle.files.begin(), bundle.files.end());
    for (ArchivedFile& file : files) {
        file.name.insert(0, kFolder);
    }
    return tar_of(files, static_cast<std::uint64_t>(bundle.made_ns / 1'000'000'000));
}

Result<Bundle, std::string> open_bundle(const std::string& path) {
    const auto bytes = read_text_file(path, kMostBytes);
    if (!bytes) {
        return path + ": " + bytes.error().text;
    }
    auto files = files_in_tar(*bytes);
    if (!files) {
        return path + ": " + files.error();
    }
    Bundle bundle;
    for (ArchivedFile& file : *files) {
        if (file.name.starts_with(kFolder)) {
            file.name.erase(0, kFolder.size());
            bundle.files.push_back(std::move(file));
        }
    }
    const std::string* manifest = bundle.find(bundled::kManifest);
    if (manifest == nullptr) {
        return path + ": there is no " + std::string(kFolder) + std::string(bundled::kManifest) +
               " in it: `nsrouter bundle` did not make it";
    }
    if (const std::string wrong = read_manifest(*manifest, bundle); !wrong.empty()) {
        return path + ": " + wrong;
    }
    return bundle;
}

}  // namespace nsr::router
