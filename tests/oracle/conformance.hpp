// Every recorded case is a test case of its own name; conformance_cases.cpp is generated from the
// names in cases.tar.xz.
#pragma once

namespace oracle {

// Replays the case in process and compares. A case listed in passing.txt must not differ; another
// one may, and is reported when it no longer does.
void check_case(const char* name);

}  // namespace oracle
