// A request to a router of several shards: which of them have a say in the answer.
#include <memory>
#include <utility>

#include "router/control/port.hpp"
#include "router/http/request.hpp"

namespace nsr::router {

using http::Request;
using http::Response;
using procfs::Sharded;

// The first shard answers, for all: with what the others have counted, and with their tables where
// it goes over its own (TableWalk).
Response ControlPort::over_shards(const Request& request, const Endpoint* endpoint) {
    const Sharded sharded =
        endpoint != nullptr ? endpoint->sharded : controls_.tree.sharded(request.path);
    if (endpoint != nullptr) {
        if (auto refused = not_allowed(request, endpoint->mode)) {
            return *refused;
        }
    }
    if (sharded == Sharded::Refused) {
        return refused_to_shards(request.method + " " + request.path);
    }
    if (sharded == Sharded::Alone) {
        return answer(request, endpoint);
    }
    Response response;
    response.later = [this, request, endpoint](const std::function<void(Response)>& reply) {
        controls_.others->gather([this, request, endpoint, reply] {
            const auto answered = std::make_shared<Response>(answer(request, endpoint));
            if (endpoint != nullptr && endpoint->path == "/ip") {
                controls_.others->follow_network();
            }
            controls_.others->follow_settings([answered, reply] { reply(std::move(*answered)); });
        });
    };
    return response;
}

Response ControlPort::refused_to_shards(const std::string& what) const {
    return http::plain(501, what + " needs shards = 1, and this router has " +
                                std::to_string(controls_.others->size() + 1) + ": see shards.md\n");
}

std::optional<Response> ControlPort::refused_to_shards_alone(ConntrackCommand command) const {
    const char* what = needs_one_shard(command);
    if (controls_.others == nullptr || what == nullptr) {
        return std::nullopt;
    }
    return refused_to_shards(what);
}

}  // namespace nsr::router
