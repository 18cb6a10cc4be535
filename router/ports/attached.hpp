// A port on the event loop. For Engine alone: includes Asio.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <utility>

#include "router/ports/port.hpp"

namespace nsr::router {

struct Attached {
    Attached(boost::asio::io_context& loop, std::unique_ptr<Port> attached)
        : port(std::move(attached)), readable(loop, port->descriptor()) {}
    ~Attached() { detach(); }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

    // The descriptor is closed by the port alone.
    std::unique_ptr<Port> detach() {
        if (readable.is_open()) {
            readable.release();
        }
        return std::move(port);
    }

    std::unique_ptr<Port> port;  // null: detached
    boost::asio::posix::stream_descriptor readable;
};
using AttachedPtr = std::shared_ptr<Attached>;

}  // namespace nsr::router
