#include "router/topology/device_owner.hpp"

#include <boost/json.hpp>
#include <exception>
#include <filesystem>

#include "router/base/run_directory.hpp"
#include "router/http/client.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

bool has_device(const json::value& status, const std::string& netns, const std::string& device) {
    for (const json::value& interface : status.at("interfaces").as_array()) {
        if (interface.at("netns").as_string() == netns &&
            interface.at("device").as_string() == device) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::string router_with_device(const std::string& netns, const std::string& device) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(kRunDirectory, none)) {
        if (entry.path().extension() != ".sock") {
            continue;
        }
        ControlTarget target;
        target.unix_path = entry.path().string();
        try {
            const ControlReply reply = ask(target, {"GET", "/status", {}});
            if (reply.ok() && has_device(json::parse(reply.body), netns, device)) {
                return entry.path().stem().string();
            }
        } catch (const std::exception&) {
            // It was killed, or speaks another language: not the one we look for.
        }
    }
    return {};
}

}  // namespace nsr::router
