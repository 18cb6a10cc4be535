// What a machine said of itself: a folder of texts, each the output of one command.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/result.hpp"

namespace nsr::router {

enum class DumpId : std::uint8_t {
    AddressesJson,
    Links,
    Addresses,
    Routes4,
    Routes6,
    Rules4,
    Rules6,
    TableNames,
    Iptables,
    Ip6tables,
    IptablesLegacy,
    Ip6tablesLegacy,
    Nft,
    Ipset,
    Sysctl,
    Conntrack,
};
inline constexpr std::size_t kDumps = 16;

// How it is asked for. Commands are tried from the left until one of them works.
struct DumpRow {
    DumpId id;
    const char* file;
    std::array<const char*, 2> commands;  // of a shell; null: none
    // What is not known where nothing can answer; null: then the others say enough.
    const char* unknown;
};
const std::array<DumpRow, kDumps>& dump_rows();

struct Dump {
    std::string file;
    bool there = false;
    std::vector<std::string> lines;  // without line breaks

    [[nodiscard]] SourceLocation at(std::size_t index) const {
        return {file, static_cast<std::uint32_t>(index + 1), 0};
    }
};

class Dumps {
  public:
    [[nodiscard]] const Dump& operator[](DumpId id) const {
        return dumps_[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] Dump& operator[](DumpId id) { return dumps_[static_cast<std::size_t>(id)]; }

  private:
    std::array<Dump, kDumps> dumps_;
};

// A file that is not there is a dump that is not there; the error is about the folder, or about a
// file that cannot be read.
Result<Dumps, std::string> read_dumps(const std::string& folder);

}  // namespace nsr::router
