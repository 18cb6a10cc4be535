// Work that is done on the loop again and again, as long as this lives.
#pragma once

#include <functional>
#include <memory>

#include "core/base/instant.hpp"

namespace boost::asio {
class io_context;
}

namespace nsr::router {

class Repeating {
  public:
    // For the first time after one `period`. `work` must not throw.
    Repeating(boost::asio::io_context& loop, Duration period, std::function<void()> work);
    ~Repeating();
    Repeating(const Repeating&) = delete;
    Repeating& operator=(const Repeating&) = delete;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace nsr::router
