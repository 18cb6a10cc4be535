// NamePattern: which names a POSIX extended expression fits, as sysctl(8) takes it.
#pragma once

#include <regex.h>

#include <array>
#include <stdexcept>
#include <string>

namespace nsr::router {

class NamePattern {
  public:
    // Empty: everything fits. Throws std::runtime_error.
    explicit NamePattern(const std::string& text) : all_(text.empty()) {
        const int error = all_ ? 0 : ::regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NOSUB);
        if (error != 0) {
            std::array<char, 128> why{};
            ::regerror(error, &compiled_, why.data(), why.size());
            throw std::runtime_error("pattern \"" + text + "\": " + why.data());
        }
    }
    ~NamePattern() {
        if (!all_) {
            ::regfree(&compiled_);
        }
    }
    NamePattern(const NamePattern&) = delete;
    NamePattern& operator=(const NamePattern&) = delete;

    [[nodiscard]] bool fits(const std::string& name) const {
        return all_ || ::regexec(&compiled_, name.c_str(), 0, nullptr, 0) == 0;
    }

  private:
    bool all_;
    regex_t compiled_{};
};

}  // namespace nsr::router
