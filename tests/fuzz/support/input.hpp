// Input: the bytes that a fuzzer makes up, taken from the front. Past the end there are zeros, so
// that every input means something.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nsr::fuzz {

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

    [[nodiscard]] bool done() const { return left_.empty(); }
    std::uint8_t byte() {
        const auto one = bytes(1);
        return one.empty() ? std::uint8_t{0} : one[0];
    }
    std::uint16_t pair() {
        const unsigned high = byte();
        return static_cast<std::uint16_t>(high << 8 | byte());
    }
    // At most `count`.
    std::span<const std::uint8_t> bytes(std::size_t count) {
        const auto taken = left_.first(std::min(count, left_.size()));
        left_ = left_.subspan(taken.size());
        return taken;
    }
    // What stands before the next `end`, which is taken, too.
    std::string until(char end) {
        const auto at = std::find(left_.begin(), left_.end(), static_cast<std::uint8_t>(end));
        const auto text = bytes(static_cast<std::size_t>(at - left_.begin()));
        bytes(1);
        return {text.begin(), text.end()};
    }
    std::string line() { return until('\n'); }
    std::string rest() {
        const auto text = bytes(left_.size());
        return {text.begin(), text.end()};
    }

  private:
    std::span<const std::uint8_t> left_;
};

}  // namespace nsr::fuzz
