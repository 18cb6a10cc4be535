// The configuration at the control port: its text, and that of the files that it names.
#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/base/utf8.hpp"
#include "router/base/text_file.hpp"
#include "router/config/hidden.hpp"
#include "router/config/toml.hpp"
#include "router/control/port.hpp"
#include "router/http/request.hpp"

namespace nsr::router {

using http::Request;
using http::Response;

namespace {

namespace json = boost::json;

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

// What is read beside the packets, by values.
struct Reading {
    std::string path;
    std::vector<std::string> files;
    std::string token;  // that is at work: the file may say another one by now

    [[nodiscard]] json::object file(const std::string& name, std::size_t most) const {
        json::object told{{"path", as_utf8(name)}};
        const auto text = read_text_file(name, most);
        if (!text) {
            told["error"] = as_utf8(text.error().text);
            return told;
        }
        const auto shown =
            name == path ? without_token(*text, name) : Result<std::string, FileError>(*text);
        told[shown ? "text" : "error"] = as_utf8(shown ? without_bytes(*shown, token)
                                                       : without_bytes(shown.error().text, token));
        return told;
    }

    [[nodiscard]] std::string all() const {
        json::array told{file(path, kMaxConfigBytes)};
        for (const std::string& name : files) {
            told.push_back(file(name, kMostBytes));
        }
        return json::serialize(told) + "\n";
    }
};

}  // namespace

// GET /config: an array of files, the configuration first, as they are on the disk now.
Response ControlPort::config_files(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    const Config& config = controls_.config;
    Response head;
    head.content_type = "application/json";
    return text_from_beside([reading = Reading{config.path, config.files,
                                               config.control.token}] { return reading.all(); },
                            head);
}

}  // namespace nsr::router
