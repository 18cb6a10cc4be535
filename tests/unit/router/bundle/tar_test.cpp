// The archive: what is written is read again, and what is damaged is said to be.
#include "router/bundle/tar.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace nsr::router {

TEST_CASE("tar: files of any size are read as they were written") {
    std::vector<ArchivedFile> files;
    for (const std::size_t size : {0u, 1u, 511u, 512u, 513u, 100000u}) {
        files.push_back({"folder/file" + std::to_string(size), std::string(size, 'x')});
    }
    const std::string archive = tar_of(files, 1764504000);
    CHECK(archive.size() % 512 == 0);
    CHECK(archive.substr(257, 5) == "ustar");
    const auto read = files_in_tar(archive);
    REQUIRE(read.ok());
    REQUIRE(read->size() == files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        CHECK((*read)[i].name == files[i].name);
        CHECK((*read)[i].bytes == files[i].bytes);
    }
}

TEST_CASE("tar: what is none, is cut short or damaged is refused, wherever it is cut") {
    CHECK_FALSE(files_in_tar("").ok());
    CHECK_FALSE(files_in_tar(std::string(5000, '\0')).ok());
    CHECK_FALSE(files_in_tar(std::string(5000, 'x')).ok());
    const std::string archive = tar_of({{"one", "1"}, {"two", std::string(600, '2')}}, 0);
    for (std::size_t length = 0; length < 512; ++length) {
        CHECK_FALSE(files_in_tar(archive.substr(0, length)).ok());
    }
    const auto cut = files_in_tar(archive.substr(0, 1700));
    REQUIRE_FALSE(cut.ok());
    CHECK(cut.error() == "two is cut short");
    std::string damaged = archive;
    damaged[1024 + 124] = '7';
    REQUIRE_FALSE(files_in_tar(damaged).ok());
    CHECK(files_in_tar(damaged).error() == "it is damaged behind one");
}

}  // namespace nsr::router
