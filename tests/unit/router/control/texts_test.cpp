// Large texts over the control port: nobody copies them on the event loop.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "core/base/cow.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {

TEST_CASE("a text of rules or of a set is shared with the work that it makes") {
    PortFixture ported;
    http::Request request;
    request.method = "PUT";
    request.caller = {0, true};
    for (const char* path : {"/rules", "/sets/bad"}) {
        CAPTURE(path);
        request.path = path;
        request.body = Cow<std::string>("# nothing\n");
        const std::weak_ptr<const std::string> text = request.body.share();
        const http::Response response = ported.port().handle(request);
        CHECK(response.later != nullptr);
        CHECK(text.use_count() == 2);  // of the request, and of what is done later
    }
}

}  // namespace nsr::router
