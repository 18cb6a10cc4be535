// The words of one command, read from left to right; the first mistake stays.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nsr::router {

class WordReader {
  public:
    explicit WordReader(std::span<const std::string> words) : words_(words) {}

    [[nodiscard]] bool more() const { return !words_.empty() && error_.empty(); }
    [[nodiscard]] const std::string& peek() const { return words_.front(); }
    std::string take() {
        if (words_.empty()) {
            fail("Command line is not complete; a value is missing at its end");
            return {};
        }
        std::string word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }
    // The next word, if it is this one.
    bool take_if(std::string_view word) {
        const bool is_next = more() && words_.front() == word;
        words_ = words_.subspan(is_next ? 1 : 0);
        return is_next;
    }
    void fail(std::string why) {
        if (error_.empty()) {
            error_ = std::move(why);
        }
    }
    [[nodiscard]] const std::string& error() const { return error_; }

  private:
    std::span<const std::string> words_;
    std::string error_;
};

}  // namespace nsr::router
